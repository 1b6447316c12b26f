using System;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Assay.Storage.Metadata.Sqlite.Migrations
{
    /// <inheritdoc />
    public partial class Access : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropIndex(
                name: "ix_audit_entry_workspace_id_id",
                table: "audit_entry"
            );

            migrationBuilder.AddColumn<long>(
                name: "joined_at",
                table: "workspace_member",
                type: "INTEGER",
                nullable: false,
                defaultValue: 0L
            );

            migrationBuilder.AddColumn<Guid>(
                name: "api_key_id",
                table: "audit_entry",
                type: "TEXT",
                nullable: true
            );

            migrationBuilder.AddColumn<Guid>(
                name: "member_id",
                table: "audit_entry",
                type: "TEXT",
                nullable: true
            );

            migrationBuilder.AddColumn<long>(
                name: "expires_at",
                table: "api_key",
                type: "INTEGER",
                nullable: true
            );

            migrationBuilder.AddColumn<Guid>(
                name: "member_id",
                table: "api_key",
                type: "TEXT",
                nullable: true
            );

            migrationBuilder.CreateTable(
                name: "invitation",
                columns: table => new
                {
                    id = table.Column<Guid>(type: "TEXT", nullable: false),
                    workspace_id = table.Column<Guid>(type: "TEXT", nullable: false),
                    email = table.Column<string>(type: "TEXT", nullable: false),
                    normalized_email = table.Column<string>(type: "TEXT", nullable: false),
                    role = table.Column<int>(type: "INTEGER", nullable: false),
                    hash = table.Column<byte[]>(type: "BLOB", nullable: false),
                    invited_by = table.Column<string>(type: "TEXT", nullable: false),
                    created_at = table.Column<long>(type: "INTEGER", nullable: false),
                    expires_at = table.Column<long>(type: "INTEGER", nullable: false),
                    closed_at = table.Column<long>(type: "INTEGER", nullable: true),
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_invitation", x => x.id);
                }
            );

            migrationBuilder.CreateTable(
                name: "organization",
                columns: table => new
                {
                    id = table.Column<Guid>(type: "TEXT", nullable: false),
                    name = table.Column<string>(type: "TEXT", nullable: false),
                    created_at = table.Column<long>(type: "INTEGER", nullable: false),
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_organization", x => x.id);
                }
            );

            // Workspaces named an organization before organizations had rows.
            migrationBuilder.Sql(
                "INSERT INTO organization (id, name, created_at) SELECT organization_id, 'My organization', MIN(created_at) FROM workspace GROUP BY organization_id"
            );

            migrationBuilder.CreateTable(
                name: "workspace_secret",
                columns: table => new
                {
                    workspace_id = table.Column<Guid>(type: "TEXT", nullable: false),
                    key = table.Column<string>(type: "TEXT", nullable: false),
                    ciphertext = table.Column<string>(type: "TEXT", nullable: false),
                    modified_at = table.Column<long>(type: "INTEGER", nullable: false),
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_workspace_secret", x => new { x.workspace_id, x.key });
                }
            );

            migrationBuilder.CreateIndex(
                name: "ix_workspace_member_member_id",
                table: "workspace_member",
                column: "member_id"
            );

            migrationBuilder.CreateIndex(
                name: "ix_audit_entry_workspace_id_at",
                table: "audit_entry",
                columns: new[] { "workspace_id", "at" }
            );

            migrationBuilder.CreateIndex(
                name: "ix_invitation_hash",
                table: "invitation",
                column: "hash",
                unique: true
            );

            migrationBuilder.CreateIndex(
                name: "ix_invitation_workspace_id",
                table: "invitation",
                column: "workspace_id"
            );
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(name: "invitation");

            migrationBuilder.DropTable(name: "organization");

            migrationBuilder.DropTable(name: "workspace_secret");

            migrationBuilder.DropIndex(
                name: "ix_workspace_member_member_id",
                table: "workspace_member"
            );

            migrationBuilder.DropIndex(
                name: "ix_audit_entry_workspace_id_at",
                table: "audit_entry"
            );

            migrationBuilder.DropColumn(name: "joined_at", table: "workspace_member");

            migrationBuilder.DropColumn(name: "api_key_id", table: "audit_entry");

            migrationBuilder.DropColumn(name: "member_id", table: "audit_entry");

            migrationBuilder.DropColumn(name: "expires_at", table: "api_key");

            migrationBuilder.DropColumn(name: "member_id", table: "api_key");

            migrationBuilder.CreateIndex(
                name: "ix_audit_entry_workspace_id_id",
                table: "audit_entry",
                columns: new[] { "workspace_id", "id" }
            );
        }
    }
}
