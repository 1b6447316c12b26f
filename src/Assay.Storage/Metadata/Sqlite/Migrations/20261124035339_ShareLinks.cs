using System;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Assay.Storage.Metadata.Sqlite.Migrations
{
    /// <inheritdoc />
    public partial class ShareLinks : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.CreateTable(
                name: "share_link",
                columns: table => new
                {
                    token = table.Column<Guid>(type: "TEXT", nullable: false),
                    workspace_id = table.Column<Guid>(type: "TEXT", nullable: false),
                    project_id = table.Column<Guid>(type: "TEXT", nullable: false),
                    trace_id = table.Column<Guid>(type: "TEXT", nullable: false),
                    run_id = table.Column<Guid>(type: "TEXT", nullable: false),
                    created_by = table.Column<string>(type: "TEXT", nullable: false),
                    created_at = table.Column<long>(type: "INTEGER", nullable: false),
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_share_link", x => x.token);
                }
            );

            migrationBuilder.CreateIndex(
                name: "ix_share_link_workspace_id_run_id_project_id",
                table: "share_link",
                columns: new[] { "workspace_id", "run_id", "project_id" },
                unique: true
            );

            migrationBuilder.CreateIndex(
                name: "ix_share_link_workspace_id_trace_id",
                table: "share_link",
                columns: new[] { "workspace_id", "trace_id" }
            );
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(name: "share_link");
        }
    }
}
