using System;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Assay.Storage.Metadata.Sqlite.Migrations
{
    /// <inheritdoc />
    public partial class Evaluators : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.CreateTable(
                name: "evaluator",
                columns: table => new
                {
                    id = table.Column<Guid>(type: "TEXT", nullable: false),
                    workspace_id = table.Column<Guid>(type: "TEXT", nullable: false),
                    name = table.Column<string>(type: "TEXT", nullable: false),
                    feedback_key = table.Column<string>(type: "TEXT", nullable: false),
                    kind = table.Column<byte>(type: "INTEGER", nullable: false),
                    description = table.Column<string>(type: "TEXT", nullable: true),
                    version = table.Column<int>(type: "INTEGER", nullable: false),
                    trust_json = table.Column<string>(type: "TEXT", nullable: true),
                    author = table.Column<string>(type: "TEXT", nullable: false),
                    created_at = table.Column<long>(type: "INTEGER", nullable: false),
                    modified_at = table.Column<long>(type: "INTEGER", nullable: false),
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_evaluator", x => x.id);
                }
            );

            migrationBuilder.CreateTable(
                name: "evaluator_version",
                columns: table => new
                {
                    evaluator_id = table.Column<Guid>(type: "TEXT", nullable: false),
                    number = table.Column<int>(type: "INTEGER", nullable: false),
                    workspace_id = table.Column<Guid>(type: "TEXT", nullable: false),
                    settings_json = table.Column<string>(type: "TEXT", nullable: false),
                    note = table.Column<string>(type: "TEXT", nullable: true),
                    author = table.Column<string>(type: "TEXT", nullable: false),
                    created_at = table.Column<long>(type: "INTEGER", nullable: false),
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_evaluator_version", x => new { x.evaluator_id, x.number });
                    table.ForeignKey(
                        name: "fk_evaluator_version_evaluator_evaluator_id",
                        column: x => x.evaluator_id,
                        principalTable: "evaluator",
                        principalColumn: "id",
                        onDelete: ReferentialAction.Cascade
                    );
                }
            );

            migrationBuilder.CreateTable(
                name: "judge_calibration",
                columns: table => new
                {
                    id = table.Column<Guid>(type: "TEXT", nullable: false),
                    workspace_id = table.Column<Guid>(type: "TEXT", nullable: false),
                    evaluator_id = table.Column<Guid>(type: "TEXT", nullable: false),
                    version = table.Column<int>(type: "INTEGER", nullable: false),
                    human_key = table.Column<string>(type: "TEXT", nullable: false),
                    items_json = table.Column<string>(type: "TEXT", nullable: false),
                    compared = table.Column<int>(type: "INTEGER", nullable: false),
                    unjudged = table.Column<int>(type: "INTEGER", nullable: false),
                    kappa = table.Column<double>(type: "REAL", nullable: true),
                    kappa_low = table.Column<double>(type: "REAL", nullable: true),
                    kappa_high = table.Column<double>(type: "REAL", nullable: true),
                    agreement = table.Column<double>(type: "REAL", nullable: true),
                    prompt_commit = table.Column<string>(type: "TEXT", nullable: true),
                    us_dollars = table.Column<decimal>(type: "TEXT", nullable: true),
                    author = table.Column<string>(type: "TEXT", nullable: false),
                    created_at = table.Column<long>(type: "INTEGER", nullable: false),
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_judge_calibration", x => x.id);
                    table.ForeignKey(
                        name: "fk_judge_calibration_evaluator_evaluator_id",
                        column: x => x.evaluator_id,
                        principalTable: "evaluator",
                        principalColumn: "id",
                        onDelete: ReferentialAction.Cascade
                    );
                }
            );

            migrationBuilder.CreateTable(
                name: "judge_verdict",
                columns: table => new
                {
                    workspace_id = table.Column<Guid>(type: "TEXT", nullable: false),
                    key = table.Column<string>(type: "TEXT", nullable: false),
                    evaluator_id = table.Column<Guid>(type: "TEXT", nullable: false),
                    reply_json = table.Column<string>(type: "TEXT", nullable: false),
                    created_at = table.Column<long>(type: "INTEGER", nullable: false),
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_judge_verdict", x => new { x.workspace_id, x.key });
                    table.ForeignKey(
                        name: "fk_judge_verdict_evaluator_evaluator_id",
                        column: x => x.evaluator_id,
                        principalTable: "evaluator",
                        principalColumn: "id",
                        onDelete: ReferentialAction.Cascade
                    );
                }
            );

            migrationBuilder.CreateIndex(
                name: "ix_evaluator_workspace_id_feedback_key",
                table: "evaluator",
                columns: new[] { "workspace_id", "feedback_key" },
                unique: true
            );

            migrationBuilder.CreateIndex(
                name: "ix_evaluator_workspace_id_name",
                table: "evaluator",
                columns: new[] { "workspace_id", "name" },
                unique: true
            );

            migrationBuilder.CreateIndex(
                name: "ix_judge_calibration_evaluator_id",
                table: "judge_calibration",
                column: "evaluator_id"
            );

            migrationBuilder.CreateIndex(
                name: "ix_judge_calibration_workspace_id_evaluator_id_created_at",
                table: "judge_calibration",
                columns: new[] { "workspace_id", "evaluator_id", "created_at" }
            );

            migrationBuilder.CreateIndex(
                name: "ix_judge_verdict_evaluator_id_created_at",
                table: "judge_verdict",
                columns: new[] { "evaluator_id", "created_at" }
            );
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(name: "evaluator_version");

            migrationBuilder.DropTable(name: "judge_calibration");

            migrationBuilder.DropTable(name: "judge_verdict");

            migrationBuilder.DropTable(name: "evaluator");
        }
    }
}
