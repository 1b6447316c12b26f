namespace Assay.Server.LangSmith.Access;

/// <summary>Everything about access on LangSmith's wire.</summary>
internal static class AccessEndpoints
{
    public static void MapAccess(this IEndpointRouteBuilder app)
    {
        app.MapWorkspaces();
        app.MapWorkspaceFigures();
        app.MapTtlSettings();
        app.MapTags();
        app.MapMembers();
        app.MapOrganizationMembers();
        app.MapOrganization();
        app.MapApiKeys();
        app.MapAudit();
    }
}
