using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Assay.Storage.Metadata.Sqlite.Migrations
{
    /// <inheritdoc />
    public partial class DefaultRetention : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.AddColumn<int>(
                name: "default_retention_days",
                table: "workspace",
                type: "INTEGER",
                nullable: true
            );
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropColumn(name: "default_retention_days", table: "workspace");
        }
    }
}
