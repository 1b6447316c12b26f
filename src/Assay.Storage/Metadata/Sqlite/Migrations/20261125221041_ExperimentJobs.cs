using System;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Assay.Storage.Metadata.Sqlite.Migrations
{
    /// <inheritdoc />
    public partial class ExperimentJobs : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.CreateTable(
                name: "experiment_job",
                columns: table => new
                {
                    id = table.Column<Guid>(type: "TEXT", nullable: false),
                    workspace_id = table.Column<Guid>(type: "TEXT", nullable: false),
                    kind = table.Column<byte>(type: "INTEGER", nullable: false),
                    state = table.Column<byte>(type: "INTEGER", nullable: false),
                    dataset_id = table.Column<Guid>(type: "TEXT", nullable: false),
                    experiment_id = table.Column<Guid>(type: "TEXT", nullable: false),
                    name = table.Column<string>(type: "TEXT", nullable: false),
                    plan_json = table.Column<string>(type: "TEXT", nullable: false),
                    total = table.Column<int>(type: "INTEGER", nullable: false),
                    done = table.Column<int>(type: "INTEGER", nullable: false),
                    failed = table.Column<int>(type: "INTEGER", nullable: false),
                    unscored = table.Column<int>(type: "INTEGER", nullable: false),
                    reason = table.Column<string>(type: "TEXT", nullable: true),
                    user_id = table.Column<Guid>(type: "TEXT", nullable: true),
                    actor = table.Column<string>(type: "TEXT", nullable: false),
                    created_at = table.Column<long>(type: "INTEGER", nullable: false),
                    started_at = table.Column<long>(type: "INTEGER", nullable: true),
                    finished_at = table.Column<long>(type: "INTEGER", nullable: true),
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_experiment_job", x => x.id);
                }
            );

            migrationBuilder.CreateTable(
                name: "experiment_job_row",
                columns: table => new
                {
                    job_id = table.Column<Guid>(type: "TEXT", nullable: false),
                    number = table.Column<int>(type: "INTEGER", nullable: false),
                    example_id = table.Column<Guid>(type: "TEXT", nullable: true),
                    repetition = table.Column<int>(type: "INTEGER", nullable: false),
                    run_id = table.Column<Guid>(type: "TEXT", nullable: false),
                    stale_run_id = table.Column<Guid>(type: "TEXT", nullable: true),
                    state = table.Column<byte>(type: "INTEGER", nullable: false),
                    error = table.Column<string>(type: "TEXT", nullable: true),
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_experiment_job_row", x => new { x.job_id, x.number });
                }
            );

            migrationBuilder.CreateTable(
                name: "playground_setting",
                columns: table => new
                {
                    id = table.Column<Guid>(type: "TEXT", nullable: false),
                    workspace_id = table.Column<Guid>(type: "TEXT", nullable: false),
                    name = table.Column<string>(type: "TEXT", nullable: true),
                    description = table.Column<string>(type: "TEXT", nullable: true),
                    settings_json = table.Column<string>(type: "TEXT", nullable: false),
                    options_json = table.Column<string>(type: "TEXT", nullable: true),
                    type = table.Column<string>(type: "TEXT", nullable: false),
                    is_for_playgrounds = table.Column<bool>(type: "INTEGER", nullable: false),
                    is_for_evaluators = table.Column<bool>(type: "INTEGER", nullable: false),
                    created_by = table.Column<Guid>(type: "TEXT", nullable: true),
                    updated_by = table.Column<Guid>(type: "TEXT", nullable: true),
                    created_at = table.Column<long>(type: "INTEGER", nullable: false),
                    updated_at = table.Column<long>(type: "INTEGER", nullable: false),
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_playground_setting", x => x.id);
                }
            );

            migrationBuilder.CreateIndex(
                name: "ix_experiment_job_experiment_id",
                table: "experiment_job",
                column: "experiment_id"
            );

            migrationBuilder.CreateIndex(
                name: "ix_experiment_job_state",
                table: "experiment_job",
                column: "state"
            );

            migrationBuilder.CreateIndex(
                name: "ix_experiment_job_workspace_id_created_at",
                table: "experiment_job",
                columns: new[] { "workspace_id", "created_at" }
            );

            migrationBuilder.CreateIndex(
                name: "ix_experiment_job_row_job_id_state_number",
                table: "experiment_job_row",
                columns: new[] { "job_id", "state", "number" }
            );

            migrationBuilder.CreateIndex(
                name: "ix_playground_setting_workspace_id_created_at",
                table: "playground_setting",
                columns: new[] { "workspace_id", "created_at" }
            );
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(name: "experiment_job");

            migrationBuilder.DropTable(name: "experiment_job_row");

            migrationBuilder.DropTable(name: "playground_setting");
        }
    }
}
