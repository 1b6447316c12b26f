using System.Text.RegularExpressions;

namespace Assay.Core.Models.Prices;

/// <summary>Model names as clouds and routers dress them, brought to the maker's own name. Pure, thread-safe.</summary>
public static partial class ModelName
{
    /// <summary>
    /// The maker's name: without a router's or cloud's path (<c>openai/</c>, <c>models/</c>, <c>projects/…/models/</c>), Bedrock's region and maker
    /// (<c>us.anthropic.</c>) and revision (<c>-v2:0</c>), Vertex' version sign (<c>@20250514</c>), in lower case. A router's variant (<c>:free</c>) stays, so that it matches no maker's price.
    /// </summary>
    public static string Bare(string model)
    {
        var name = model.Trim().ToLowerInvariant();
        name = name[(name.LastIndexOf('/') + 1)..];
        name = BedrockMaker().Replace(name, "");
        name = BedrockRevision().Replace(name, "");
        return name.Replace('@', '-');
    }

    [GeneratedRegex(
        @"^(?:(?:us|eu|apac|global|jp|au|us-gov)\.)?(?:anthropic|amazon|meta|mistral|cohere|deepseek|ai21)\.",
        RegexOptions.NonBacktracking
    )]
    private static partial Regex BedrockMaker();

    [GeneratedRegex(@"-v\d+(?::\d+)?(?::\d+k)?$", RegexOptions.NonBacktracking)]
    private static partial Regex BedrockRevision();
}
