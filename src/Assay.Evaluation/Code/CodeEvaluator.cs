using System.Globalization;
using System.Text.Json;
using Acornima;
using Acornima.Ast;
using Jint;
using Jint.Native;
using Jint.Runtime;
using JsonParser = Jint.Native.Json.JsonParser;

namespace Assay.Evaluation.Code;

/// <summary>
/// Judges by JavaScript that a user wrote: a function <c>evaluate(run, example)</c> (or <c>performEval</c>, or one nameless function) that returns a
/// number, a boolean, a label, <c>{key, score, value, comment}</c>, or a list of those. Promises are waited for.
/// </summary>
/// <remarks>
/// <para>
/// The code runs in an interpreter without access to the host: no CLR types, no modules, no code from texts, no network, no files, no timers.
/// Every answer gets an engine of its own, so that nothing is left behind for the next one. Time, memory, statements, depth of calls and the time of a
/// regular expression are bounded; what cannot be interrupted inside the engine is bounded or taken away by <c>sandbox.js</c>.
/// </para>
/// <para>Whatever the code does wrong becomes a failed score that says so; nothing is thrown. Safe for concurrent use.</para>
/// <para>
/// <c>run</c> is <c>{id, inputs, outputs, error, latency, time_to_first_token, total_cost, prompt_tokens, completion_tokens, total_tokens, tool_calls,
/// documents}</c>, <c>example</c> is <c>{id, inputs, outputs}</c> or null. Times are seconds, costs US dollars.
/// </para>
/// </remarks>
public sealed class CodeEvaluator : IEvaluator
{
    /// <summary>The longest code, in characters.</summary>
    public const int MaxSource = 64 * 1024;

    private const string NoFunction = "The code has no function evaluate(run, example).";
    private const int MaxScores = 20;
    private const int MaxKeyLength = 200;
    private const int MaxText = 10_000;

    // Deep enough for the allowed recursion of an interpreter with room to spare: running out of it would end the process.
    private const int StackBytes = 32 << 20;

    private static readonly Prepared<Script> s_sandbox = Engine.PrepareScript(Sandbox());
    private static readonly string[] s_names = ["evaluate", "performEval", "perform_eval"];
    private readonly Prepared<Script> _code;
    private readonly CodeLimits _limits;
    private readonly string _key;

    /// <summary>An evaluator of this code, whose scores have this key unless the code names another.</summary>
    /// <exception cref="FormatException">The code cannot be read; the message says where.</exception>
    public CodeEvaluator(string source, string key, CodeLimits? limits = null)
    {
        ArgumentNullException.ThrowIfNull(source);
        ArgumentException.ThrowIfNullOrWhiteSpace(key);
        _limits = limits ?? CodeLimits.Default;
        _key = key;
        Keys = [key];
        _code = Read(source);
    }

    /// <inheritdoc/>
    public IReadOnlyList<string> Keys { get; }

    /// <summary>What is wrong with a piece of code, as far as that shows without running it; null when nothing is.</summary>
    public static string? Check(string source)
    {
        try
        {
            Read(source);
            return null;
        }
        catch (FormatException e)
        {
            return e.Message;
        }
    }

    /// <inheritdoc/>
    public async ValueTask<EvaluationResult> EvaluateAsync(
        EvaluationInput input,
        CancellationToken cancellationToken
    )
    {
        ArgumentNullException.ThrowIfNull(input);
        cancellationToken.ThrowIfCancellationRequested();
        var (run, example) = Arguments(input);
        if (run.Length + example.Length > _limits.Payload)
        {
            return Failed(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"Run and example are longer than {_limits.Payload:N0} characters."
                )
            );
        }

        // A thread of its own: its stack is deep enough, and what it allocates is what the code allocates.
        var done = new TaskCompletionSource<EvaluationResult>(
            TaskCreationOptions.RunContinuationsAsynchronously
        );
        new Thread(
            () =>
            {
                try
                {
                    done.SetResult(Run(run, example, cancellationToken));
                }
                catch (OperationCanceledException e)
                {
                    done.SetException(e);
                }
                catch (Exception e)
                {
                    done.SetResult(Failed($"The code ended with {e.GetType().Name}."));
                }
            },
            StackBytes
        )
        {
            IsBackground = true,
            Name = "code evaluator",
        }.Start();
        return await done.Task.ConfigureAwait(false);
    }

    private static Prepared<Script> Read(string source)
    {
        if (string.IsNullOrWhiteSpace(source))
        {
            throw new FormatException("There is no code.");
        }

        if (source.Length > MaxSource)
        {
            throw new FormatException(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"The code is longer than {MaxSource:N0} characters."
                )
            );
        }

        Prepared<Script>? code = null;
        string? problem = null;
        // Reading nests as the code nests.
        var reading = new Thread(
            () =>
            {
                try
                {
                    var read = Engine.PrepareScript(source, "evaluator.js");
                    problem = Forbidden(read.Program!) ?? Missing(read.Program!);
                    code = problem is null ? read : null;
                }
                catch (Exception e) when (IsTooDeep(e.InnerException ?? e))
                {
                    problem = "The code is nested too deeply.";
                }
                catch (Exception e) when (e is ParseErrorException or ScriptPreparationException)
                {
                    problem = (e.InnerException ?? e).Message;
                }
            },
            StackBytes
        );
        reading.Start();
        reading.Join();
        return code ?? throw new FormatException(problem);
    }

    /// <summary>
    /// True when the stack ended while reading, or the engine's bound on nesting was met, which it tells in words alone: how much stack a level
    /// takes depends on how far the reader has been compiled, so that either may come first.
    /// </summary>
    private static bool IsTooDeep(Exception error) =>
        error is InsufficientExecutionStackException
        || error.Message.StartsWith("Script nesting exceeds", StringComparison.Ordinal);

    /// <summary>What the language has and the sandbox cannot bound: one product of long integers may take minutes in one step.</summary>
    private static string? Forbidden(Node program)
    {
        foreach (var node in program.DescendantNodes())
        {
            var what = node switch
            {
                BigIntLiteral => "BigInt is not available here",
                ImportExpression => "import is not available here",
                DebuggerStatement => "debugger is not available here",
                _ => null,
            };
            if (what is not null)
            {
                return string.Create(
                    CultureInfo.InvariantCulture,
                    $"{what} (line {node.Location.Start.Line}, column {node.Location.Start.Column + 1})."
                );
            }
        }

        return null;
    }

    /// <summary>What can be told before it runs: nothing in it bears the name of the function, and it does not end with a nameless one.</summary>
    private static string? Missing(Script program) =>
        program.Body.Count > 0 && program.Body[^1] is ExpressionStatement
        || program.DescendantNodes().OfType<Identifier>().Any(i => s_names.Contains(i.Name))
            ? null
            : NoFunction;

    private EvaluationResult Run(string run, string example, CancellationToken cancellationToken)
    {
        try
        {
            using var engine = new Engine(options => Limit(options, cancellationToken));
            var harness = engine.Evaluate(s_sandbox);
            var last = engine.Evaluate(_code);
            var function = s_names
                .Select(n => engine.GetValue(n))
                .Append(last)
                .FirstOrDefault(v => v.IsCallable());
            if (function is null)
            {
                return Failed(NoFunction);
            }

            var parser = new JsonParser(engine);
            var answer = engine
                .Call(
                    harness,
                    JsValue.Undefined,
                    [function, parser.Parse(run), parser.Parse(example)]
                )
                .UnwrapIfPromise(_limits.Time);
            return answer.IsString()
                ? Scores(answer.AsString())
                : Failed("The code returned something that cannot be read.");
        }
        catch (PromiseRejectedException e)
        {
            // A promise that nobody settles is told in the same way.
            return Failed(
                e.RejectedValue.IsObject() || e.RejectedValue.IsUndefined()
                    ? $"Rejected: {Words(e.RejectedValue)}"
                    : $"The promise was rejected, or not settled within {_limits.Time.TotalSeconds:0.###} seconds: {Words(e.RejectedValue)}"
            );
        }
        catch (JavaScriptException e)
        {
            var at = e.Location.Start;
            return Failed(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"{Words(e.Error)} (line {at.Line}, column {at.Column + 1})"
                )
            );
        }
        catch (Exception e) when (Limit(e) is { } limit)
        {
            cancellationToken.ThrowIfCancellationRequested();
            return Failed(limit);
        }
    }

    private string? Limit(Exception e) =>
        e switch
        {
            System.Text.RegularExpressions.RegexMatchTimeoutException =>
                "A regular expression took too long.",
            TimeoutException or ExecutionCanceledException => string.Create(
                CultureInfo.InvariantCulture,
                $"The code took longer than {_limits.Time.TotalSeconds:0.###} seconds."
            ),
            MemoryLimitExceededException or OutOfMemoryException => string.Create(
                CultureInfo.InvariantCulture,
                $"The code used more than {_limits.Memory >> 20} MB of memory."
            ),
            StatementsCountOverflowException => string.Create(
                CultureInfo.InvariantCulture,
                $"The code ran more than {_limits.Statements:N0} statements."
            ),
            RecursionDepthOverflowException or InsufficientExecutionStackException => string.Create(
                CultureInfo.InvariantCulture,
                $"The code calls itself more than {_limits.Recursion} levels deep."
            ),
            JintException other => other.Message,
            _ => null,
        };

    private void Limit(Options options, CancellationToken cancellationToken)
    {
        options
            .TimeoutInterval(_limits.Time)
            .LimitMemory(_limits.Memory)
            .MaxStatements(_limits.Statements)
            .LimitRecursion(_limits.Recursion)
            .RegexTimeoutInterval(TimeSpan.FromMilliseconds(250))
            .MaxArraySize(200_000)
            .MaxJsonParseDepth(100)
            .CancellationToken(cancellationToken)
            .Culture(CultureInfo.InvariantCulture)
            .LocalTimeZone(TimeZoneInfo.Utc)
            .DisableStringCompilation();
        options.Constraints.PromiseTimeout = _limits.Time;
        options.Constraints.StackOverflowGuard = true;
        options.Interop.Enabled = false;
    }

    private static (string Run, string Example) Arguments(EvaluationInput input)
    {
        var facts = input.Facts;
        var run = JsonSerializer.Serialize(
            new Dictionary<string, object?>
            {
                ["id"] = input.RunId,
                ["inputs"] = input.Inputs,
                ["outputs"] = input.Outputs,
                ["error"] = facts.Error,
                ["latency"] = facts.Latency?.TotalSeconds,
                ["time_to_first_token"] = facts.TimeToFirstToken?.TotalSeconds,
                ["total_cost"] = facts.UsDollars,
                ["prompt_tokens"] = facts.InputTokens,
                ["completion_tokens"] = facts.OutputTokens,
                ["total_tokens"] = facts.TotalTokens,
                ["tool_calls"] = input.ToolCalls?.Select(c => new
                {
                    name = c.Name,
                    args = c.Arguments,
                }),
                ["documents"] = input.Documents?.Select(d => new
                {
                    id = d.Id,
                    text = d.Text,
                    score = d.Similarity,
                }),
            }
        );
        var example =
            input.ExampleId is null && input.ReferenceOutputs is null
                ? "null"
                : JsonSerializer.Serialize(
                    new Dictionary<string, object?>
                    {
                        ["id"] = input.ExampleId,
                        ["inputs"] = input.Inputs,
                        ["outputs"] = input.ReferenceOutputs,
                    }
                );
        return (run, example);
    }

    private EvaluationResult Scores(string answer)
    {
        using var json = JsonDocument.Parse(answer, new JsonDocumentOptions { MaxDepth = 512 });
        var root = json.RootElement;
        var value = root.GetProperty("value");
        List<Score> scores;
        if (!root.GetProperty("isFinite").GetBoolean())
        {
            scores = [Score.Failed(_key, "The code returned a number that is not finite.")];
        }
        else if (root.GetProperty("type").GetString() is "function" or "symbol" or "undefined")
        {
            scores = [Score.Failed(_key, "The code returned nothing that is a score.")];
        }
        else
        {
            scores = value.ValueKind switch
            {
                JsonValueKind.Array => [.. value.EnumerateArray().Take(MaxScores).Select(Of)],
                JsonValueKind.Object
                    when value.TryGetProperty("results", out var list)
                        && list.ValueKind == JsonValueKind.Array =>
                [
                    .. list.EnumerateArray().Take(MaxScores).Select(Of),
                ],
                _ => [Of(value)],
            };
            if (scores.Count == 0)
            {
                scores = [Score.Failed(_key, "The code returned an empty list.")];
            }
        }

        foreach (var line in root.GetProperty("said").EnumerateArray())
        {
            scores[0] = scores[0]
                .With(EvaluationDiagnostic.Information($"console: {line.GetString()}"));
        }

        return EvaluationResult.Of([
            .. scores.GroupBy(s => s.Key, StringComparer.Ordinal).Select(g => g.Last()),
        ]);
    }

    private Score Of(JsonElement value)
    {
        switch (value.ValueKind)
        {
            case JsonValueKind.Number when double.IsFinite(value.GetDouble()):
                return Score.Numeric(_key, value.GetDouble());
            case JsonValueKind.True or JsonValueKind.False:
                return Score.Boolean(_key, value.GetBoolean());
            case JsonValueKind.String:
                return new Score { Key = _key, Label = Cut(value.GetString()!) };
            case JsonValueKind.Object:
                return OfObject(value);
            default:
                return Score.Failed(_key, "The code returned nothing that is a score.");
        }
    }

    private Score OfObject(JsonElement value)
    {
        var key = Text(value, "key") is { Length: > 0 and <= MaxKeyLength } named ? named : _key;
        var reason = Text(value, "comment") ?? Text(value, "reasoning") ?? Text(value, "reason");
        var score = value.TryGetProperty("score", out var s) ? s : default;
        var label = value.TryGetProperty("value", out var v) ? v : default;
        var result = new Score { Key = key, Reason = reason is null ? null : Cut(reason) };
        switch (score.ValueKind)
        {
            case JsonValueKind.Number when double.IsFinite(score.GetDouble()):
                result = result with { Number = score.GetDouble() };
                break;
            case JsonValueKind.True or JsonValueKind.False:
                result = result with
                {
                    Number = score.GetBoolean() ? 1 : 0,
                    Passed = score.GetBoolean(),
                };
                break;
            case JsonValueKind.String when label.ValueKind == JsonValueKind.Undefined:
                label = score;
                break;
            case JsonValueKind.Undefined or JsonValueKind.Null:
                break;
            default:
                return Score.Failed(key, "The score is neither a number nor a boolean.");
        }

        return label.ValueKind switch
        {
            JsonValueKind.Undefined or JsonValueKind.Null => result.Number is null
                ? Score.Failed(key, "The code returned an object without score and value.")
                : result,
            JsonValueKind.String => result with { Label = Cut(label.GetString()!) },
            _ => result with { Value = label.Clone() },
        };
    }

    private static string? Text(JsonElement json, string name) =>
        json.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String
            ? value.GetString()
            : null;

    /// <summary>An error as the author knows it. Only its own texts are read: a getter here would run without limits.</summary>
    private static string Words(JsValue error)
    {
        if (error.IsString())
        {
            return Cut(error.AsString());
        }

        if (!error.IsObject())
        {
            return error.IsNumber() || error.IsBoolean() ? error.ToString() : "an error";
        }

        var message = Own(error, "message");
        return Own(error.AsObject().Prototype, "name") is { } name && message is not null
            ? Cut($"{name}: {message}")
            : Cut(message ?? "an object that is no error was thrown");
    }

    private static string? Own(JsValue? holder, string name) =>
        holder is not null
        && holder.IsObject()
        && holder.AsObject().GetOwnProperty(name) is { } property
        && property.IsDataDescriptor()
        && property.Value.IsString()
            ? property.Value.AsString()
            : null;

    private EvaluationResult Failed(string message) =>
        EvaluationResult.Of(Score.Failed(_key, message));

    private static string Cut(string text) => text.Length > MaxText ? text[..MaxText] : text;

    private static string Sandbox()
    {
        using var stream =
            typeof(CodeEvaluator).Assembly.GetManifestResourceStream("sandbox.js")
            ?? throw new InvalidOperationException("The sandbox is not in the assembly.");
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }
}
