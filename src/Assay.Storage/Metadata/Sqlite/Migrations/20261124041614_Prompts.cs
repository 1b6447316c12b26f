using System;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Assay.Storage.Metadata.Sqlite.Migrations
{
    /// <inheritdoc />
    public partial class Prompts : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.CreateTable(
                name: "prompt",
                columns: table => new
                {
                    id = table.Column<Guid>(type: "TEXT", nullable: false),
                    workspace_id = table.Column<Guid>(type: "TEXT", nullable: false),
                    handle = table.Column<string>(type: "TEXT", nullable: false),
                    kind = table.Column<int>(type: "INTEGER", nullable: false),
                    description = table.Column<string>(type: "TEXT", nullable: true),
                    readme = table.Column<string>(type: "TEXT", nullable: true),
                    topics = table.Column<string>(type: "TEXT", nullable: false),
                    is_public = table.Column<bool>(type: "INTEGER", nullable: false),
                    is_archived = table.Column<bool>(type: "INTEGER", nullable: false),
                    forked_from_id = table.Column<Guid>(type: "TEXT", nullable: true),
                    downloads = table.Column<long>(type: "INTEGER", nullable: false),
                    views = table.Column<long>(type: "INTEGER", nullable: false),
                    commit_count = table.Column<int>(type: "INTEGER", nullable: false),
                    head_id = table.Column<Guid>(type: "TEXT", nullable: true),
                    created_by = table.Column<string>(type: "TEXT", nullable: false),
                    created_at = table.Column<long>(type: "INTEGER", nullable: false),
                    updated_at = table.Column<long>(type: "INTEGER", nullable: false),
                    revision = table.Column<Guid>(type: "TEXT", nullable: false),
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_prompt", x => x.id);
                }
            );

            migrationBuilder.CreateTable(
                name: "prompt_comment",
                columns: table => new
                {
                    id = table.Column<Guid>(type: "TEXT", nullable: false),
                    prompt_id = table.Column<Guid>(type: "TEXT", nullable: false),
                    parent_id = table.Column<Guid>(type: "TEXT", nullable: true),
                    content = table.Column<string>(type: "TEXT", nullable: false),
                    actor_id = table.Column<Guid>(type: "TEXT", nullable: false),
                    author = table.Column<string>(type: "TEXT", nullable: false),
                    created_at = table.Column<long>(type: "INTEGER", nullable: false),
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_prompt_comment", x => x.id);
                    table.ForeignKey(
                        name: "fk_prompt_comment_prompt_prompt_id",
                        column: x => x.prompt_id,
                        principalTable: "prompt",
                        principalColumn: "id",
                        onDelete: ReferentialAction.Cascade
                    );
                }
            );

            migrationBuilder.CreateTable(
                name: "prompt_commit",
                columns: table => new
                {
                    id = table.Column<Guid>(type: "TEXT", nullable: false),
                    prompt_id = table.Column<Guid>(type: "TEXT", nullable: false),
                    workspace_id = table.Column<Guid>(type: "TEXT", nullable: false),
                    hash = table.Column<string>(type: "TEXT", nullable: false),
                    parent_id = table.Column<Guid>(type: "TEXT", nullable: true),
                    number = table.Column<int>(type: "INTEGER", nullable: false),
                    manifest = table.Column<string>(type: "TEXT", nullable: false),
                    description = table.Column<string>(type: "TEXT", nullable: true),
                    author = table.Column<string>(type: "TEXT", nullable: false),
                    downloads = table.Column<long>(type: "INTEGER", nullable: false),
                    created_at = table.Column<long>(type: "INTEGER", nullable: false),
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_prompt_commit", x => x.id);
                    table.ForeignKey(
                        name: "fk_prompt_commit_prompt_prompt_id",
                        column: x => x.prompt_id,
                        principalTable: "prompt",
                        principalColumn: "id",
                        onDelete: ReferentialAction.Cascade
                    );
                }
            );

            migrationBuilder.CreateTable(
                name: "prompt_like",
                columns: table => new
                {
                    prompt_id = table.Column<Guid>(type: "TEXT", nullable: false),
                    actor_id = table.Column<Guid>(type: "TEXT", nullable: false),
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_prompt_like", x => new { x.prompt_id, x.actor_id });
                    table.ForeignKey(
                        name: "fk_prompt_like_prompt_prompt_id",
                        column: x => x.prompt_id,
                        principalTable: "prompt",
                        principalColumn: "id",
                        onDelete: ReferentialAction.Cascade
                    );
                }
            );

            migrationBuilder.CreateTable(
                name: "prompt_tag",
                columns: table => new
                {
                    id = table.Column<Guid>(type: "TEXT", nullable: false),
                    prompt_id = table.Column<Guid>(type: "TEXT", nullable: false),
                    name = table.Column<string>(type: "TEXT", nullable: false),
                    commit_id = table.Column<Guid>(type: "TEXT", nullable: false),
                    created_at = table.Column<long>(type: "INTEGER", nullable: false),
                    updated_at = table.Column<long>(type: "INTEGER", nullable: false),
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_prompt_tag", x => x.id);
                    table.ForeignKey(
                        name: "fk_prompt_tag_prompt_prompt_id",
                        column: x => x.prompt_id,
                        principalTable: "prompt",
                        principalColumn: "id",
                        onDelete: ReferentialAction.Cascade
                    );
                }
            );

            migrationBuilder.CreateTable(
                name: "prompt_tag_move",
                columns: table => new
                {
                    id = table.Column<Guid>(type: "TEXT", nullable: false),
                    prompt_id = table.Column<Guid>(type: "TEXT", nullable: false),
                    name = table.Column<string>(type: "TEXT", nullable: false),
                    from_commit_id = table.Column<Guid>(type: "TEXT", nullable: true),
                    to_commit_id = table.Column<Guid>(type: "TEXT", nullable: true),
                    actor = table.Column<string>(type: "TEXT", nullable: false),
                    at = table.Column<long>(type: "INTEGER", nullable: false),
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_prompt_tag_move", x => x.id);
                    table.ForeignKey(
                        name: "fk_prompt_tag_move_prompt_prompt_id",
                        column: x => x.prompt_id,
                        principalTable: "prompt",
                        principalColumn: "id",
                        onDelete: ReferentialAction.Cascade
                    );
                }
            );

            migrationBuilder.CreateIndex(
                name: "ix_prompt_workspace_id_handle",
                table: "prompt",
                columns: new[] { "workspace_id", "handle" },
                unique: true
            );

            migrationBuilder.CreateIndex(
                name: "ix_prompt_comment_prompt_id_parent_id",
                table: "prompt_comment",
                columns: new[] { "prompt_id", "parent_id" }
            );

            migrationBuilder.CreateIndex(
                name: "ix_prompt_commit_prompt_id_hash",
                table: "prompt_commit",
                columns: new[] { "prompt_id", "hash" }
            );

            migrationBuilder.CreateIndex(
                name: "ix_prompt_commit_prompt_id_number",
                table: "prompt_commit",
                columns: new[] { "prompt_id", "number" },
                unique: true
            );

            migrationBuilder.CreateIndex(
                name: "ix_prompt_tag_prompt_id_name",
                table: "prompt_tag",
                columns: new[] { "prompt_id", "name" },
                unique: true
            );

            migrationBuilder.CreateIndex(
                name: "ix_prompt_tag_move_prompt_id_name",
                table: "prompt_tag_move",
                columns: new[] { "prompt_id", "name" }
            );
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(name: "prompt_comment");

            migrationBuilder.DropTable(name: "prompt_commit");

            migrationBuilder.DropTable(name: "prompt_like");

            migrationBuilder.DropTable(name: "prompt_tag");

            migrationBuilder.DropTable(name: "prompt_tag_move");

            migrationBuilder.DropTable(name: "prompt");
        }
    }
}
