using System;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Assay.Storage.Metadata.Sqlite.Migrations
{
    /// <inheritdoc />
    public partial class PromptGovernance : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.AddColumn<bool>(
                name: "is_restricted",
                table: "prompt",
                type: "INTEGER",
                nullable: false,
                defaultValue: false
            );

            migrationBuilder.CreateTable(
                name: "prompt_comment_like",
                columns: table => new
                {
                    comment_id = table.Column<Guid>(type: "TEXT", nullable: false),
                    actor_id = table.Column<Guid>(type: "TEXT", nullable: false),
                },
                constraints: table =>
                {
                    table.PrimaryKey(
                        "pk_prompt_comment_like",
                        x => new { x.comment_id, x.actor_id }
                    );
                    table.ForeignKey(
                        name: "fk_prompt_comment_like_prompt_comment_comment_id",
                        column: x => x.comment_id,
                        principalTable: "prompt_comment",
                        principalColumn: "id",
                        onDelete: ReferentialAction.Cascade
                    );
                }
            );

            migrationBuilder.CreateTable(
                name: "prompt_owner",
                columns: table => new
                {
                    prompt_id = table.Column<Guid>(type: "TEXT", nullable: false),
                    member_id = table.Column<Guid>(type: "TEXT", nullable: false),
                    created_at = table.Column<long>(type: "INTEGER", nullable: false),
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_prompt_owner", x => new { x.prompt_id, x.member_id });
                    table.ForeignKey(
                        name: "fk_prompt_owner_asp_net_users_member_id",
                        column: x => x.member_id,
                        principalTable: "AspNetUsers",
                        principalColumn: "id",
                        onDelete: ReferentialAction.Cascade
                    );
                    table.ForeignKey(
                        name: "fk_prompt_owner_prompt_prompt_id",
                        column: x => x.prompt_id,
                        principalTable: "prompt",
                        principalColumn: "id",
                        onDelete: ReferentialAction.Cascade
                    );
                }
            );

            migrationBuilder.CreateTable(
                name: "prompt_rollout",
                columns: table => new
                {
                    prompt_id = table.Column<Guid>(type: "TEXT", nullable: false),
                    name = table.Column<string>(type: "TEXT", nullable: false),
                    commit_id = table.Column<Guid>(type: "TEXT", nullable: false),
                    percent = table.Column<double>(type: "REAL", nullable: false),
                    set_by = table.Column<string>(type: "TEXT", nullable: false),
                    updated_at = table.Column<long>(type: "INTEGER", nullable: false),
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_prompt_rollout", x => new { x.prompt_id, x.name });
                    table.ForeignKey(
                        name: "fk_prompt_rollout_prompt_prompt_id",
                        column: x => x.prompt_id,
                        principalTable: "prompt",
                        principalColumn: "id",
                        onDelete: ReferentialAction.Cascade
                    );
                }
            );

            migrationBuilder.CreateTable(
                name: "prompt_settings",
                columns: table => new
                {
                    workspace_id = table.Column<Guid>(type: "TEXT", nullable: false),
                    environments = table.Column<string>(type: "TEXT", nullable: false),
                    protected_tags = table.Column<string>(type: "TEXT", nullable: false),
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_prompt_settings", x => x.workspace_id);
                }
            );

            migrationBuilder.CreateTable(
                name: "prompt_tag_request",
                columns: table => new
                {
                    id = table.Column<Guid>(type: "TEXT", nullable: false),
                    workspace_id = table.Column<Guid>(type: "TEXT", nullable: false),
                    prompt_id = table.Column<Guid>(type: "TEXT", nullable: false),
                    name = table.Column<string>(type: "TEXT", nullable: false),
                    commit_id = table.Column<Guid>(type: "TEXT", nullable: true),
                    percent = table.Column<double>(type: "REAL", nullable: true),
                    requester_id = table.Column<Guid>(type: "TEXT", nullable: false),
                    requested_by = table.Column<string>(type: "TEXT", nullable: false),
                    requested_at = table.Column<long>(type: "INTEGER", nullable: false),
                    state = table.Column<int>(type: "INTEGER", nullable: false),
                    decided_by = table.Column<string>(type: "TEXT", nullable: true),
                    decided_at = table.Column<long>(type: "INTEGER", nullable: true),
                    revision = table.Column<Guid>(type: "TEXT", nullable: false),
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_prompt_tag_request", x => x.id);
                    table.ForeignKey(
                        name: "fk_prompt_tag_request_prompt_prompt_id",
                        column: x => x.prompt_id,
                        principalTable: "prompt",
                        principalColumn: "id",
                        onDelete: ReferentialAction.Cascade
                    );
                }
            );

            migrationBuilder.CreateTable(
                name: "prompt_webhook",
                columns: table => new
                {
                    id = table.Column<Guid>(type: "TEXT", nullable: false),
                    workspace_id = table.Column<Guid>(type: "TEXT", nullable: false),
                    url = table.Column<string>(type: "TEXT", nullable: false),
                    headers_ciphertext = table.Column<string>(type: "TEXT", nullable: true),
                    secret_ciphertext = table.Column<string>(type: "TEXT", nullable: false),
                    events = table.Column<int>(type: "INTEGER", nullable: false),
                    only = table.Column<string>(type: "TEXT", nullable: false),
                    except = table.Column<string>(type: "TEXT", nullable: false),
                    created_at = table.Column<long>(type: "INTEGER", nullable: false),
                    updated_at = table.Column<long>(type: "INTEGER", nullable: false),
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_prompt_webhook", x => x.id);
                }
            );

            migrationBuilder.CreateTable(
                name: "prompt_delivery",
                columns: table => new
                {
                    id = table.Column<Guid>(type: "TEXT", nullable: false),
                    webhook_id = table.Column<Guid>(type: "TEXT", nullable: false),
                    workspace_id = table.Column<Guid>(type: "TEXT", nullable: false),
                    @event = table.Column<string>(name: "event", type: "TEXT", nullable: false),
                    subject = table.Column<string>(type: "TEXT", nullable: false),
                    payload = table.Column<string>(type: "TEXT", nullable: false),
                    state = table.Column<int>(type: "INTEGER", nullable: false),
                    attempts = table.Column<int>(type: "INTEGER", nullable: false),
                    next_attempt_at = table.Column<long>(type: "INTEGER", nullable: false),
                    last_status = table.Column<int>(type: "INTEGER", nullable: true),
                    last_error = table.Column<string>(type: "TEXT", nullable: true),
                    created_at = table.Column<long>(type: "INTEGER", nullable: false),
                    attempted_at = table.Column<long>(type: "INTEGER", nullable: true),
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_prompt_delivery", x => x.id);
                    table.ForeignKey(
                        name: "fk_prompt_delivery_prompt_webhook_webhook_id",
                        column: x => x.webhook_id,
                        principalTable: "prompt_webhook",
                        principalColumn: "id",
                        onDelete: ReferentialAction.Cascade
                    );
                }
            );

            migrationBuilder.CreateIndex(
                name: "ix_prompt_delivery_state_next_attempt_at",
                table: "prompt_delivery",
                columns: new[] { "state", "next_attempt_at" }
            );

            migrationBuilder.CreateIndex(
                name: "ix_prompt_delivery_webhook_id_id",
                table: "prompt_delivery",
                columns: new[] { "webhook_id", "id" }
            );

            migrationBuilder.CreateIndex(
                name: "ix_prompt_owner_member_id",
                table: "prompt_owner",
                column: "member_id"
            );

            migrationBuilder.CreateIndex(
                name: "ix_prompt_tag_request_prompt_id_state",
                table: "prompt_tag_request",
                columns: new[] { "prompt_id", "state" }
            );

            migrationBuilder.CreateIndex(
                name: "ix_prompt_webhook_workspace_id",
                table: "prompt_webhook",
                column: "workspace_id"
            );
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(name: "prompt_comment_like");

            migrationBuilder.DropTable(name: "prompt_delivery");

            migrationBuilder.DropTable(name: "prompt_owner");

            migrationBuilder.DropTable(name: "prompt_rollout");

            migrationBuilder.DropTable(name: "prompt_settings");

            migrationBuilder.DropTable(name: "prompt_tag_request");

            migrationBuilder.DropTable(name: "prompt_webhook");

            migrationBuilder.DropColumn(name: "is_restricted", table: "prompt");
        }
    }
}
