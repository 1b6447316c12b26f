using System;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Assay.Storage.Metadata.Sqlite.Migrations
{
    /// <inheritdoc />
    public partial class ModelProviders : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.CreateTable(
                name: "model_provider",
                columns: table => new
                {
                    id = table.Column<Guid>(type: "TEXT", nullable: false),
                    workspace_id = table.Column<Guid>(type: "TEXT", nullable: false),
                    name = table.Column<string>(type: "TEXT", nullable: false),
                    kind = table.Column<byte>(type: "INTEGER", nullable: false),
                    base_url = table.Column<string>(type: "TEXT", nullable: true),
                    secret_name = table.Column<string>(type: "TEXT", nullable: true),
                    models = table.Column<string>(type: "TEXT", nullable: false),
                    timeout_seconds = table.Column<int>(type: "INTEGER", nullable: false),
                    max_retries = table.Column<int>(type: "INTEGER", nullable: false),
                    created_at = table.Column<long>(type: "INTEGER", nullable: false),
                    modified_at = table.Column<long>(type: "INTEGER", nullable: false),
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_model_provider", x => x.id);
                }
            );

            migrationBuilder.CreateTable(
                name: "model_spend",
                columns: table => new
                {
                    workspace_id = table.Column<Guid>(type: "TEXT", nullable: false),
                    month = table.Column<int>(type: "INTEGER", nullable: false),
                    dollars = table.Column<decimal>(type: "TEXT", nullable: false),
                    calls = table.Column<long>(type: "INTEGER", nullable: false),
                    unpriced_calls = table.Column<long>(type: "INTEGER", nullable: false),
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_model_spend", x => new { x.workspace_id, x.month });
                }
            );

            migrationBuilder.CreateTable(
                name: "spend_limit",
                columns: table => new
                {
                    workspace_id = table.Column<Guid>(type: "TEXT", nullable: false),
                    monthly_dollars = table.Column<decimal>(type: "TEXT", nullable: false),
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_spend_limit", x => x.workspace_id);
                }
            );

            migrationBuilder.CreateIndex(
                name: "ix_model_provider_workspace_id_name",
                table: "model_provider",
                columns: new[] { "workspace_id", "name" },
                unique: true
            );
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(name: "model_provider");

            migrationBuilder.DropTable(name: "model_spend");

            migrationBuilder.DropTable(name: "spend_limit");
        }
    }
}
