using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Assay.Storage.Metadata.Sqlite.Migrations
{
    /// <inheritdoc />
    public partial class ExampleSourceRuns : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.CreateIndex(
                name: "ix_example_revision_workspace_id_source_run_id",
                table: "example_revision",
                columns: new[] { "workspace_id", "source_run_id" }
            );
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropIndex(
                name: "ix_example_revision_workspace_id_source_run_id",
                table: "example_revision"
            );
        }
    }
}
