namespace Assay.Core.Prompts;

/// <summary>A prompt, commit or tag of that name is not in reach of the caller.</summary>
public sealed class PromptNotFoundException(string what) : Exception($"{what} not found");

/// <summary>Somebody else was faster, or nothing changed. The host answers 409.</summary>
public sealed class PromptConflictException(string message) : Exception(message);

/// <summary>What was sent cannot be stored. The host answers 400 or 422.</summary>
public sealed class InvalidPromptException(string message) : Exception(message);
