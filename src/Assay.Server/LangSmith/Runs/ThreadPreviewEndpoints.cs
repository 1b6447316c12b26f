using System.Text;
using Assay.Core.Access;
using Assay.Core.Traces;
using Assay.Server.Auth;

namespace Assay.Server.LangSmith.Runs;

/// <summary>A thread in a few words: the beginnings of what was asked and answered, trace by trace, the oldest first.</summary>
internal static class ThreadPreviewEndpoints
{
    private const int MaxTraces = 100;
    private static readonly string[] s_forms =
    [
        "all_messages",
        "human_ai_pairs",
        "first_human_last_ai",
    ];

    public static void MapThreadPreview(this IEndpointRouteBuilder app) =>
        app.MapGet("/api/v1/runs/threads/{thread}", PreviewAsync).Needs(Permission.Read);

    private static async Task<IResult> PreviewAsync(
        string thread,
        HttpContext context,
        TraceQueries queries,
        TraceContent content
    )
    {
        var caller = context.Caller();
        var wanted = context.Request.Query["select"].OfType<string>().ToList();
        if (wanted.Find(f => !s_forms.Contains(f)) is { } unknown)
        {
            return Errors.Invalid($"select: '{unknown}' is none of {string.Join(", ", s_forms)}");
        }

        var page = await queries.QueryAsync(
            caller,
            new RunQuery
            {
                WorkspaceId = caller.WorkspaceId,
                ProjectIds = [context.Request.Query.NeededId("session_id")],
                ThreadId = thread,
                IsRoot = true,
                Ascending = true,
                Limit = MaxTraces,
                Parts = RunParts.Details,
            },
            context.RequestAborted
        );
        if (page.Runs.Count == 0)
        {
            return Errors.NotFound("Thread");
        }

        var traces = await content.WithPreviewsAsync(caller, page.Runs, context.RequestAborted);
        return WireResult.Json(w =>
        {
            w.WriteStartObject();
            w.WriteString("thread_id", thread);
            w.WriteStartObject("previews");
            foreach (var form in wanted.Count == 0 ? s_forms : [.. wanted.Distinct()])
            {
                w.WriteString(form, Preview(form, traces));
            }

            w.WriteEndObject();
            w.WriteEndObject();
        });
    }

    private static string Preview(string form, IReadOnlyList<Run> traces)
    {
        var text = new StringBuilder();
        if (form == "first_human_last_ai")
        {
            Say(text, "human", traces.Select(t => t.InputsPreview).FirstOrDefault(HasWords));
            Say(text, "ai", traces.Select(t => t.OutputsPreview).LastOrDefault(HasWords));
            return text.ToString();
        }

        foreach (var trace in traces)
        {
            Say(text, "human", trace.InputsPreview);
            Say(text, "ai", trace.OutputsPreview);
        }

        return text.ToString();
    }

    private static bool HasWords(string? text) => text is { Length: > 0 };

    private static void Say(StringBuilder text, string who, string? words)
    {
        if (HasWords(words))
        {
            text.Append(text.Length > 0 ? "\n\n" : "").Append(who).Append(": ").Append(words);
        }
    }
}
