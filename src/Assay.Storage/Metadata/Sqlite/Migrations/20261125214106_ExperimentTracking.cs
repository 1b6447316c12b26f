using System;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Assay.Storage.Metadata.Sqlite.Migrations
{
    /// <inheritdoc />
    public partial class ExperimentTracking : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropIndex(
                name: "ix_example_revision_dataset_id_valid_to_valid_from_position",
                table: "example_revision"
            );

            migrationBuilder.CreateTable(
                name: "experiment_artifact",
                columns: table => new
                {
                    experiment_id = table.Column<Guid>(type: "TEXT", nullable: false),
                    name = table.Column<string>(type: "TEXT", nullable: false),
                    workspace_id = table.Column<Guid>(type: "TEXT", nullable: false),
                    content_type = table.Column<string>(type: "TEXT", nullable: false),
                    length = table.Column<long>(type: "INTEGER", nullable: false),
                    sha256 = table.Column<string>(type: "TEXT", nullable: false),
                    blob_key = table.Column<string>(type: "TEXT", nullable: false),
                    created_at = table.Column<long>(type: "INTEGER", nullable: false),
                },
                constraints: table =>
                {
                    table.PrimaryKey(
                        "pk_experiment_artifact",
                        x => new { x.experiment_id, x.name }
                    );
                }
            );

            migrationBuilder.CreateTable(
                name: "experiment_metric",
                columns: table => new
                {
                    experiment_id = table.Column<Guid>(type: "TEXT", nullable: false),
                    key = table.Column<string>(type: "TEXT", nullable: false),
                    step = table.Column<long>(type: "INTEGER", nullable: false),
                    workspace_id = table.Column<Guid>(type: "TEXT", nullable: false),
                    value = table.Column<double>(type: "REAL", nullable: false),
                    at = table.Column<long>(type: "INTEGER", nullable: false),
                },
                constraints: table =>
                {
                    table.PrimaryKey(
                        "pk_experiment_metric",
                        x => new
                        {
                            x.experiment_id,
                            x.key,
                            x.step,
                        }
                    );
                }
            );

            migrationBuilder.CreateTable(
                name: "experiment_view",
                columns: table => new
                {
                    id = table.Column<Guid>(type: "TEXT", nullable: false),
                    workspace_id = table.Column<Guid>(type: "TEXT", nullable: false),
                    dataset_id = table.Column<Guid>(type: "TEXT", nullable: false),
                    columns_json = table.Column<string>(type: "TEXT", nullable: false),
                    created_at = table.Column<long>(type: "INTEGER", nullable: false),
                    modified_at = table.Column<long>(type: "INTEGER", nullable: false),
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_experiment_view", x => x.id);
                }
            );

            migrationBuilder.CreateIndex(
                name: "ix_example_revision_workspace_id_dataset_id_valid_to_valid_from_position",
                table: "example_revision",
                columns: new[]
                {
                    "workspace_id",
                    "dataset_id",
                    "valid_to",
                    "valid_from",
                    "position",
                },
                descending: new[] { false, false, false, true, false }
            );

            migrationBuilder.CreateIndex(
                name: "ix_experiment_view_workspace_id_dataset_id",
                table: "experiment_view",
                columns: new[] { "workspace_id", "dataset_id" }
            );
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(name: "experiment_artifact");

            migrationBuilder.DropTable(name: "experiment_metric");

            migrationBuilder.DropTable(name: "experiment_view");

            migrationBuilder.DropIndex(
                name: "ix_example_revision_workspace_id_dataset_id_valid_to_valid_from_position",
                table: "example_revision"
            );

            migrationBuilder.CreateIndex(
                name: "ix_example_revision_dataset_id_valid_to_valid_from_position",
                table: "example_revision",
                columns: new[] { "dataset_id", "valid_to", "valid_from", "position" },
                descending: new[] { false, false, true, false }
            );
        }
    }
}
