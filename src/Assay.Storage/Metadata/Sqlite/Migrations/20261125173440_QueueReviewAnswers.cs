using System;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Assay.Storage.Metadata.Sqlite.Migrations
{
    /// <inheritdoc />
    public partial class QueueReviewAnswers : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.AddColumn<string>(
                name: "answers_json",
                table: "queue_review",
                type: "TEXT",
                nullable: true
            );

            migrationBuilder.AddColumn<double>(
                name: "seconds",
                table: "queue_review",
                type: "REAL",
                nullable: true
            );

            migrationBuilder.AddColumn<long>(
                name: "decided_at",
                table: "queue_item",
                type: "INTEGER",
                nullable: true
            );

            migrationBuilder.AddColumn<Guid>(
                name: "decided_by",
                table: "queue_item",
                type: "TEXT",
                nullable: true
            );

            migrationBuilder.AddColumn<string>(
                name: "decision_json",
                table: "queue_item",
                type: "TEXT",
                nullable: true
            );

            migrationBuilder.AddColumn<bool>(
                name: "is_gold",
                table: "queue_item",
                type: "INTEGER",
                nullable: false,
                defaultValue: false
            );

            migrationBuilder.AddColumn<bool>(
                name: "is_blind",
                table: "annotation_queue",
                type: "INTEGER",
                nullable: false,
                defaultValue: false
            );
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropColumn(name: "answers_json", table: "queue_review");

            migrationBuilder.DropColumn(name: "seconds", table: "queue_review");

            migrationBuilder.DropColumn(name: "decided_at", table: "queue_item");

            migrationBuilder.DropColumn(name: "decided_by", table: "queue_item");

            migrationBuilder.DropColumn(name: "decision_json", table: "queue_item");

            migrationBuilder.DropColumn(name: "is_gold", table: "queue_item");

            migrationBuilder.DropColumn(name: "is_blind", table: "annotation_queue");
        }
    }
}
