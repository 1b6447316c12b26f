using System.Text.Json;

namespace Assay.Evaluation;

/// <summary>A call of a tool by a model or agent: one step of a trajectory.</summary>
/// <param name="Name">The tool.</param>
/// <param name="Arguments">
/// The arguments, normally an object. Null means "not stated": in a reference it matches any arguments.
/// </param>
public sealed record ToolCall(string Name, JsonElement? Arguments = null);
