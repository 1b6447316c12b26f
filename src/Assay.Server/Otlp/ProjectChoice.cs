using Assay.Server.Otlp.Mapping;
using Assay.Server.Otlp.Protos;

namespace Assay.Server.Otlp;

/// <summary>
/// Which project a trace goes to, first that is said: the span's own project (<c>langsmith.trace.session_id</c>, <c>…session_name</c>), a
/// header, the resource's <c>openinference.project.name</c>, its <c>service.name</c>, and <c>default</c>. Decided for each trace, not for each
/// request; the service's name only where the trace has no project yet, so that a trace through several services stays whole.
/// </summary>
internal static class ProjectChoice
{
    private static readonly string[] s_headers =
    [
        "Langsmith-Project",
        "x-project-name",
        "x-bt-parent",
        "projectName",
    ];

    public static string? Header(IHeaderDictionary headers)
    {
        foreach (var name in s_headers)
        {
            if (headers[name].ToString() is { Length: > 0 } value)
            {
                // Braintrust says what kind of parent it names.
                return value.StartsWith("project_name:", StringComparison.Ordinal)
                    ? value["project_name:".Length..]
                    : value;
            }
        }

        return null;
    }

    public static ProjectReference? Explicit(
        MappedSpan mapped,
        string? header,
        Resource resource
    ) =>
        mapped.Project is { IsExplicit: true } own ? own
        : (header ?? Text(resource, "openinference.project.name")) is { } name
            ? new ProjectReference(null, name, IsExplicit: true)
        : null;

    public static string? Service(Resource resource) =>
        Text(resource, "service.name") is { } name
        && !name.StartsWith("unknown_service", StringComparison.Ordinal)
            ? name
            : null;

    private static string? Text(Resource resource, string key)
    {
        foreach (var attribute in resource.Attributes)
        {
            if (attribute.Key == key)
            {
                return attribute.Value?.StringValue is { Length: > 0 } text ? text.Trim() : null;
            }
        }

        return null;
    }
}
