using System;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Assay.Storage.Metadata.Sqlite.Migrations
{
    /// <inheritdoc />
    public partial class ResourceTags : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.CreateTable(
                name: "resource_tag_key",
                columns: table => new
                {
                    id = table.Column<Guid>(type: "TEXT", nullable: false),
                    workspace_id = table.Column<Guid>(type: "TEXT", nullable: false),
                    name = table.Column<string>(type: "TEXT", nullable: false),
                    description = table.Column<string>(type: "TEXT", nullable: true),
                    created_at = table.Column<long>(type: "INTEGER", nullable: false),
                    modified_at = table.Column<long>(type: "INTEGER", nullable: false),
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_resource_tag_key", x => x.id);
                }
            );

            migrationBuilder.CreateTable(
                name: "resource_tag_value",
                columns: table => new
                {
                    id = table.Column<Guid>(type: "TEXT", nullable: false),
                    workspace_id = table.Column<Guid>(type: "TEXT", nullable: false),
                    key_id = table.Column<Guid>(type: "TEXT", nullable: false),
                    name = table.Column<string>(type: "TEXT", nullable: false),
                    description = table.Column<string>(type: "TEXT", nullable: true),
                    created_at = table.Column<long>(type: "INTEGER", nullable: false),
                    modified_at = table.Column<long>(type: "INTEGER", nullable: false),
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_resource_tag_value", x => x.id);
                    table.ForeignKey(
                        name: "fk_resource_tag_value_resource_tag_key_key_id",
                        column: x => x.key_id,
                        principalTable: "resource_tag_key",
                        principalColumn: "id",
                        onDelete: ReferentialAction.Cascade
                    );
                }
            );

            migrationBuilder.CreateTable(
                name: "resource_tagging",
                columns: table => new
                {
                    id = table.Column<Guid>(type: "TEXT", nullable: false),
                    workspace_id = table.Column<Guid>(type: "TEXT", nullable: false),
                    value_id = table.Column<Guid>(type: "TEXT", nullable: false),
                    resource_type = table.Column<string>(type: "TEXT", nullable: false),
                    resource_id = table.Column<Guid>(type: "TEXT", nullable: false),
                    created_at = table.Column<long>(type: "INTEGER", nullable: false),
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_resource_tagging", x => x.id);
                    table.ForeignKey(
                        name: "fk_resource_tagging_resource_tag_value_value_id",
                        column: x => x.value_id,
                        principalTable: "resource_tag_value",
                        principalColumn: "id",
                        onDelete: ReferentialAction.Cascade
                    );
                }
            );

            migrationBuilder.CreateIndex(
                name: "ix_resource_tag_key_workspace_id_name",
                table: "resource_tag_key",
                columns: new[] { "workspace_id", "name" },
                unique: true
            );

            migrationBuilder.CreateIndex(
                name: "ix_resource_tag_value_key_id_name",
                table: "resource_tag_value",
                columns: new[] { "key_id", "name" },
                unique: true
            );

            migrationBuilder.CreateIndex(
                name: "ix_resource_tagging_value_id_resource_type_resource_id",
                table: "resource_tagging",
                columns: new[] { "value_id", "resource_type", "resource_id" },
                unique: true
            );

            migrationBuilder.CreateIndex(
                name: "ix_resource_tagging_workspace_id_resource_id",
                table: "resource_tagging",
                columns: new[] { "workspace_id", "resource_id" }
            );
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(name: "resource_tagging");

            migrationBuilder.DropTable(name: "resource_tag_value");

            migrationBuilder.DropTable(name: "resource_tag_key");
        }
    }
}
