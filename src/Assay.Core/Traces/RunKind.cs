namespace Assay.Core.Traces;

/// <summary>The type of a run. The numbers are stored: append only.</summary>
public enum RunKind : byte
{
    /// <summary>A step that groups others; also what is used when nothing better is known.</summary>
    Chain = 0,

    /// <summary>A call to a language model. The only kind whose tokens are priced without being told.</summary>
    Llm = 1,

    /// <summary>A tool or function call.</summary>
    Tool = 2,

    /// <summary>A retrieval of documents.</summary>
    Retriever = 3,

    /// <summary>A call to an embedding model.</summary>
    Embedding = 4,

    /// <summary>Rendering of a prompt.</summary>
    Prompt = 5,

    /// <summary>Parsing of an output.</summary>
    Parser = 6,

    /// <summary>An agent: a chain that decides its own steps. LangSmith's wire calls it a chain.</summary>
    Agent = 7,

    /// <summary>A guardrail. LangSmith's wire calls it a chain.</summary>
    Guardrail = 8,
}

/// <summary>The state of a run. The numbers are stored.</summary>
public enum RunStatus : byte
{
    /// <summary>Started and not ended, as far as is known.</summary>
    Pending = 0,

    /// <summary>Ended without an error.</summary>
    Success = 1,

    /// <summary>Has an error, ended or not.</summary>
    Error = 2,
}

/// <summary>Whether a piece of a run announces it or changes it.</summary>
public enum RunOperation : byte
{
    /// <summary>The run's first announcement (LangSmith POST, a complete OTLP span).</summary>
    Create = 0,

    /// <summary>A change to it (LangSmith PATCH, a late log record). Wins over Create, whichever arrives first.</summary>
    Update = 1,
}

/// <summary>The parts of a run that may be large and are kept verbatim as UTF-8 JSON. The numbers are stored.</summary>
public enum PayloadKind : byte
{
    /// <summary>The inputs, a JSON object as a rule.</summary>
    Inputs = 0,

    /// <summary>The outputs, a JSON object as a rule.</summary>
    Outputs = 1,

    /// <summary>Extra: metadata, runtime, invocation parameters, raw attributes. Pieces are merged on read, see merged on read.</summary>
    Extra = 2,

    /// <summary>A JSON array of events.</summary>
    Events = 3,

    /// <summary>The serialized form of what ran (LangChain's manifest).</summary>
    Serialized = 4,

    /// <summary>The error, a JSON string.</summary>
    Error = 5,
}
