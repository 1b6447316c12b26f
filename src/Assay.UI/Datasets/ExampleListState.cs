using System.Globalization;
using Assay.Core.Datasets;
using Assay.UI.Kit;
using Microsoft.AspNetCore.Http;

namespace Assay.UI.Datasets;

/// <summary>Which examples the dataset page shows, all of it from the address.</summary>
internal sealed record ExampleListState
{
    /// <summary>Words, or a filter in LangSmith's language.</summary>
    public string Search { get; init; } = "";

    /// <summary>Only this split.</summary>
    public string? Split { get; init; }

    /// <summary>A time or a tag; null means the present.</summary>
    public string? AsOf { get; init; }

    /// <summary>True when not every example is shown.</summary>
    public bool IsNarrowed => Search.Length > 0 || Split is not null;

    /// <summary>The version.</summary>
    public AsOf At => Version(AsOf);

    public static ExampleListState Read(HttpRequest request) =>
        new()
        {
            Search = request.Query["q"].ToString().Trim(),
            Split = request.Query["split"].ToString() is { Length: > 0 } split ? split : null,
            AsOf = request.Query["as_of"].ToString() is { Length: > 0 } asOf ? asOf : null,
        };

    /// <summary>A version as addresses name it: a time, or else a tag.</summary>
    public static AsOf Version(string? text) =>
        text is null ? Core.Datasets.AsOf.Now
        : DateTimeOffset.TryParse(
            text,
            CultureInfo.InvariantCulture,
            DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal,
            out var time
        )
            ? new AsOf(Time: time)
        : new AsOf(Tag: text);

    public ExampleQuery ToQuery(Guid datasetId)
    {
        var isFilter =
            Search.Contains('(', StringComparison.Ordinal)
            && Search.EndsWith(')')
            && char.IsAsciiLetter(Search[0]);
        return new ExampleQuery
        {
            DatasetId = datasetId,
            AsOf = At,
            Splits = Split is null ? [] : [Split],
            Filter = isFilter ? Search : null,
            Texts = isFilter || Search.Length == 0 ? [] : [Search],
        };
    }

    /// <summary>The query string of the same version without search and split.</summary>
    public string Unnarrowed => new ExampleListState { AsOf = AsOf }.Query();

    /// <summary>The state as a query string, with one part changed.</summary>
    public string Query(string? key = null, string? value = null)
    {
        var parts = new Dictionary<string, string?>
        {
            ["q"] = Search.Length == 0 ? null : Search,
            ["split"] = Split,
            ["as_of"] = AsOf,
        };
        if (key is not null)
        {
            parts[key] = value;
        }

        return string.Join(
            '&',
            parts
                .Where(p => p.Value is not null)
                .Select(p => $"{p.Key}={Uri.EscapeDataString(p.Value!)}")
        );
    }

    /// <summary>A moment as addresses name it.</summary>
    public static string Name(DateTimeOffset moment) => Format.Iso(moment);
}
