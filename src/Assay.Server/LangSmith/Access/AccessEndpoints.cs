namespace Assay.Server.LangSmith.Access;

/// <summary>Everything about access on LangSmith's wire.</summary>
internal static class AccessEndpoints
{
    public static void MapAccess(this IEndpointRouteBuilder app)
    {
        app.MapWorkspaces();
        app.MapWorkspaceFigures();
        app.MapTags();
        app.MapMembers();
        app.MapOrganization();
        app.MapApiKeys();
        app.MapAudit();
    }
}
