using System;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Assay.Storage.Metadata.Sqlite.Migrations
{
    /// <inheritdoc />
    public partial class Datasets : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.CreateTable(
                name: "annotation_queue",
                columns: table => new
                {
                    id = table.Column<Guid>(type: "TEXT", nullable: false),
                    workspace_id = table.Column<Guid>(type: "TEXT", nullable: false),
                    name = table.Column<string>(type: "TEXT", nullable: false),
                    description = table.Column<string>(type: "TEXT", nullable: true),
                    is_pairwise = table.Column<bool>(type: "INTEGER", nullable: false),
                    instructions = table.Column<string>(type: "TEXT", nullable: true),
                    rubric_json = table.Column<string>(type: "TEXT", nullable: true),
                    reviewers_per_item = table.Column<int>(type: "INTEGER", nullable: true),
                    has_reservations = table.Column<bool>(type: "INTEGER", nullable: false),
                    reservation_minutes = table.Column<int>(type: "INTEGER", nullable: false),
                    default_dataset_id = table.Column<Guid>(type: "TEXT", nullable: true),
                    access_mode = table.Column<string>(type: "TEXT", nullable: false),
                    reviewers = table.Column<string>(type: "TEXT", nullable: false),
                    metadata_json = table.Column<string>(type: "TEXT", nullable: true),
                    created_at = table.Column<long>(type: "INTEGER", nullable: false),
                    updated_at = table.Column<long>(type: "INTEGER", nullable: false),
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_annotation_queue", x => x.id);
                }
            );

            migrationBuilder.CreateTable(
                name: "comparative_experiment",
                columns: table => new
                {
                    id = table.Column<Guid>(type: "TEXT", nullable: false),
                    workspace_id = table.Column<Guid>(type: "TEXT", nullable: false),
                    dataset_id = table.Column<Guid>(type: "TEXT", nullable: false),
                    name = table.Column<string>(type: "TEXT", nullable: true),
                    description = table.Column<string>(type: "TEXT", nullable: true),
                    extra_json = table.Column<string>(type: "TEXT", nullable: true),
                    experiment_ids = table.Column<string>(type: "TEXT", nullable: false),
                    created_at = table.Column<long>(type: "INTEGER", nullable: false),
                    modified_at = table.Column<long>(type: "INTEGER", nullable: false),
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_comparative_experiment", x => x.id);
                }
            );

            migrationBuilder.CreateTable(
                name: "dataset",
                columns: table => new
                {
                    id = table.Column<Guid>(type: "TEXT", nullable: false),
                    workspace_id = table.Column<Guid>(type: "TEXT", nullable: false),
                    name = table.Column<string>(type: "TEXT", nullable: false),
                    description = table.Column<string>(type: "TEXT", nullable: true),
                    data_type = table.Column<string>(type: "TEXT", nullable: false),
                    inputs_schema_json = table.Column<string>(type: "TEXT", nullable: true),
                    outputs_schema_json = table.Column<string>(type: "TEXT", nullable: true),
                    transformations_json = table.Column<string>(type: "TEXT", nullable: true),
                    metadata_json = table.Column<string>(type: "TEXT", nullable: true),
                    baseline_experiment_id = table.Column<Guid>(type: "TEXT", nullable: true),
                    share_token = table.Column<Guid>(type: "TEXT", nullable: true),
                    example_count = table.Column<int>(type: "INTEGER", nullable: false),
                    last_version = table.Column<long>(type: "INTEGER", nullable: false),
                    next_position = table.Column<long>(type: "INTEGER", nullable: false),
                    created_at = table.Column<long>(type: "INTEGER", nullable: false),
                    modified_at = table.Column<long>(type: "INTEGER", nullable: false),
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_dataset", x => x.id);
                }
            );

            migrationBuilder.CreateTable(
                name: "dataset_tag",
                columns: table => new
                {
                    dataset_id = table.Column<Guid>(type: "TEXT", nullable: false),
                    name = table.Column<string>(type: "TEXT", nullable: false),
                    moment = table.Column<long>(type: "INTEGER", nullable: false),
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_dataset_tag", x => new { x.dataset_id, x.name });
                }
            );

            migrationBuilder.CreateTable(
                name: "dataset_version",
                columns: table => new
                {
                    dataset_id = table.Column<Guid>(type: "TEXT", nullable: false),
                    moment = table.Column<long>(type: "INTEGER", nullable: false),
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_dataset_version", x => new { x.dataset_id, x.moment });
                }
            );

            migrationBuilder.CreateTable(
                name: "example_revision",
                columns: table => new
                {
                    number = table
                        .Column<long>(type: "INTEGER", nullable: false)
                        .Annotation("Sqlite:Autoincrement", true),
                    workspace_id = table.Column<Guid>(type: "TEXT", nullable: false),
                    dataset_id = table.Column<Guid>(type: "TEXT", nullable: false),
                    example_id = table.Column<Guid>(type: "TEXT", nullable: false),
                    valid_from = table.Column<long>(type: "INTEGER", nullable: false),
                    valid_to = table.Column<long>(type: "INTEGER", nullable: false),
                    position = table.Column<long>(type: "INTEGER", nullable: false),
                    created_at = table.Column<long>(type: "INTEGER", nullable: false),
                    inputs_json = table.Column<string>(type: "TEXT", nullable: false),
                    outputs_json = table.Column<string>(type: "TEXT", nullable: true),
                    inputs_blob_key = table.Column<string>(type: "TEXT", nullable: true),
                    outputs_blob_key = table.Column<string>(type: "TEXT", nullable: true),
                    metadata_json = table.Column<string>(type: "TEXT", nullable: true),
                    splits = table.Column<string>(type: "TEXT", nullable: false),
                    source_run_id = table.Column<Guid>(type: "TEXT", nullable: true),
                    attachments_json = table.Column<string>(type: "TEXT", nullable: true),
                    import_id = table.Column<Guid>(type: "TEXT", nullable: true),
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_example_revision", x => x.number);
                }
            );

            migrationBuilder.CreateTable(
                name: "feedback_config",
                columns: table => new
                {
                    workspace_id = table.Column<Guid>(type: "TEXT", nullable: false),
                    key = table.Column<string>(type: "TEXT", nullable: false),
                    config_json = table.Column<string>(type: "TEXT", nullable: false),
                    is_lower_score_better = table.Column<bool>(type: "INTEGER", nullable: true),
                    modified_at = table.Column<long>(type: "INTEGER", nullable: false),
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_feedback_config", x => new { x.workspace_id, x.key });
                }
            );

            migrationBuilder.CreateTable(
                name: "feedback_formula",
                columns: table => new
                {
                    id = table.Column<Guid>(type: "TEXT", nullable: false),
                    workspace_id = table.Column<Guid>(type: "TEXT", nullable: false),
                    dataset_id = table.Column<Guid>(type: "TEXT", nullable: true),
                    project_id = table.Column<Guid>(type: "TEXT", nullable: true),
                    key = table.Column<string>(type: "TEXT", nullable: false),
                    aggregation = table.Column<string>(type: "TEXT", nullable: false),
                    parts_json = table.Column<string>(type: "TEXT", nullable: false),
                    created_at = table.Column<long>(type: "INTEGER", nullable: false),
                    modified_at = table.Column<long>(type: "INTEGER", nullable: false),
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_feedback_formula", x => x.id);
                }
            );

            migrationBuilder.CreateTable(
                name: "feedback_token",
                columns: table => new
                {
                    id = table.Column<Guid>(type: "TEXT", nullable: false),
                    workspace_id = table.Column<Guid>(type: "TEXT", nullable: false),
                    run_id = table.Column<Guid>(type: "TEXT", nullable: false),
                    key = table.Column<string>(type: "TEXT", nullable: false),
                    expires_at = table.Column<long>(type: "INTEGER", nullable: false),
                    created_at = table.Column<long>(type: "INTEGER", nullable: false),
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_feedback_token", x => x.id);
                }
            );

            migrationBuilder.CreateTable(
                name: "queue_item",
                columns: table => new
                {
                    id = table.Column<Guid>(type: "TEXT", nullable: false),
                    workspace_id = table.Column<Guid>(type: "TEXT", nullable: false),
                    queue_id = table.Column<Guid>(type: "TEXT", nullable: false),
                    run_id = table.Column<Guid>(type: "TEXT", nullable: false),
                    other_run_id = table.Column<Guid>(type: "TEXT", nullable: true),
                    thread_id = table.Column<string>(type: "TEXT", nullable: true),
                    project_id = table.Column<Guid>(type: "TEXT", nullable: true),
                    start_time = table.Column<long>(type: "INTEGER", nullable: true),
                    proposed_example_id = table.Column<Guid>(type: "TEXT", nullable: true),
                    added_at = table.Column<long>(type: "INTEGER", nullable: false),
                    last_reviewed_at = table.Column<long>(type: "INTEGER", nullable: true),
                    completed_at = table.Column<long>(type: "INTEGER", nullable: true),
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_queue_item", x => x.id);
                }
            );

            migrationBuilder.CreateTable(
                name: "queue_review",
                columns: table => new
                {
                    item_id = table.Column<Guid>(type: "TEXT", nullable: false),
                    reviewer_id = table.Column<Guid>(type: "TEXT", nullable: false),
                    workspace_id = table.Column<Guid>(type: "TEXT", nullable: false),
                    queue_id = table.Column<Guid>(type: "TEXT", nullable: false),
                    reserved_until = table.Column<long>(type: "INTEGER", nullable: true),
                    started_at = table.Column<long>(type: "INTEGER", nullable: false),
                    completed_at = table.Column<long>(type: "INTEGER", nullable: true),
                    override_added_at = table.Column<long>(type: "INTEGER", nullable: true),
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_queue_review", x => new { x.item_id, x.reviewer_id });
                }
            );

            migrationBuilder.CreateIndex(
                name: "ix_annotation_queue_workspace_id",
                table: "annotation_queue",
                column: "workspace_id"
            );

            migrationBuilder.CreateIndex(
                name: "ix_comparative_experiment_workspace_id_dataset_id",
                table: "comparative_experiment",
                columns: new[] { "workspace_id", "dataset_id" }
            );

            migrationBuilder.CreateIndex(
                name: "ix_dataset_share_token",
                table: "dataset",
                column: "share_token"
            );

            migrationBuilder.CreateIndex(
                name: "ix_dataset_workspace_id_name",
                table: "dataset",
                columns: new[] { "workspace_id", "name" },
                unique: true
            );

            migrationBuilder.CreateIndex(
                name: "ix_example_revision_dataset_id_valid_to_valid_from_position",
                table: "example_revision",
                columns: new[] { "dataset_id", "valid_to", "valid_from", "position" },
                descending: new[] { false, false, true, false }
            );

            migrationBuilder.CreateIndex(
                name: "ix_example_revision_import_id",
                table: "example_revision",
                column: "import_id"
            );

            migrationBuilder.CreateIndex(
                name: "ix_example_revision_workspace_id_example_id",
                table: "example_revision",
                columns: new[] { "workspace_id", "example_id" }
            );

            migrationBuilder.CreateIndex(
                name: "ix_feedback_formula_workspace_id",
                table: "feedback_formula",
                column: "workspace_id"
            );

            migrationBuilder.CreateIndex(
                name: "ix_feedback_token_workspace_id_run_id",
                table: "feedback_token",
                columns: new[] { "workspace_id", "run_id" }
            );

            migrationBuilder.CreateIndex(
                name: "ix_queue_item_queue_id_completed_at_added_at",
                table: "queue_item",
                columns: new[] { "queue_id", "completed_at", "added_at" }
            );

            migrationBuilder.CreateIndex(
                name: "ix_queue_item_workspace_id_run_id",
                table: "queue_item",
                columns: new[] { "workspace_id", "run_id" }
            );

            migrationBuilder.CreateIndex(
                name: "ix_queue_review_queue_id",
                table: "queue_review",
                column: "queue_id"
            );
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(name: "annotation_queue");

            migrationBuilder.DropTable(name: "comparative_experiment");

            migrationBuilder.DropTable(name: "dataset");

            migrationBuilder.DropTable(name: "dataset_tag");

            migrationBuilder.DropTable(name: "dataset_version");

            migrationBuilder.DropTable(name: "example_revision");

            migrationBuilder.DropTable(name: "feedback_config");

            migrationBuilder.DropTable(name: "feedback_formula");

            migrationBuilder.DropTable(name: "feedback_token");

            migrationBuilder.DropTable(name: "queue_item");

            migrationBuilder.DropTable(name: "queue_review");
        }
    }
}
