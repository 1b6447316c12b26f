using System.Text;
using System.Text.Json;
using Assay.Core.Access;
using Microsoft.Extensions.AI;

namespace Assay.Core.Models.Providers;

/// <summary>An answer that is not in the form that was asked for. The message is for people and, when it is asked again, for the model.</summary>
public class UnreadableAnswerException(string message, bool isRefusal = false) : Exception(message)
{
    /// <summary>The model or its provider refused to answer: asking again is of no use.</summary>
    public bool IsRefusal { get; } = isRefusal;
}

/// <summary>What came of asking for an answer in a form.</summary>
/// <param name="Value">The answer; null when there is none.</param>
/// <param name="Problem">Why the last answer could not be read.</param>
/// <param name="Failure">Why the model could not be asked, or not again.</param>
/// <param name="Answers">Every answer, with its run and its figures.</param>
/// <param name="IsUnstructured">The provider takes no schema; the form was asked for in words alone.</param>
internal sealed record StructuredReply<T>(
    T? Value,
    UnreadableAnswerException? Problem,
    ModelCallException? Failure,
    IReadOnlyList<ModelReply> Answers,
    bool IsUnstructured
)
    where T : class
{
    /// <summary>The first answer could not be read, the second one could.</summary>
    public bool IsRepaired => Value is not null && Problem is not null;

    /// <summary>Why there is no answer, in words; null when there is one.</summary>
    public string? Words =>
        this switch
        {
            { Value: not null } => null,
            { Failure: { } failure, Problem: { } first } =>
                $"{first.Message} Asking again failed: {failure.Message}",
            { Failure: { } failure } => failure.Message,
            { Problem: { IsRefusal: true } refused } => refused.Message,
            _ => $"{Problem!.Message} (asked twice)",
        };
}

/// <summary>
/// Asks models for answers in a form: with a schema where the provider takes one, else in words; once more when the answer cannot be read.
/// Thread-safe.
/// </summary>
internal sealed class StructuredCalls(ModelCalls calls)
{
    /// <summary>Asks.</summary>
    /// <param name="caller">For whom.</param>
    /// <param name="call">The question, with the schema as its response format and the form in its words.</param>
    /// <param name="read">Reads an answer; throws <see cref="UnreadableAnswerException"/> when it is none.</param>
    /// <param name="form">The form in words, for asking again.</param>
    /// <param name="cancellationToken">Cancels.</param>
    public async Task<StructuredReply<T>> AskAsync<T>(
        Caller caller,
        ModelCall call,
        Func<ChatResponse, T> read,
        string form,
        CancellationToken cancellationToken
    )
        where T : class
    {
        var answers = new List<ModelReply>();
        var isUnstructured = false;
        var answer = await calls.CompleteAsync(caller, call, cancellationToken);
        answers.Add(answer);
        if (
            answer.Failure is { Failure: ModelCallFailure.BadRequest }
            && call.Options.ResponseFormat is not null
        )
        {
            // Many servers that speak a dialect do not take its schemas; the prompt asks for the same form in words.
            isUnstructured = true;
            var options = call.Options.Clone();
            options.ResponseFormat = null;
            call = call with { Options = options };
            answer = await calls.CompleteAsync(caller, call, cancellationToken);
            answers.Add(answer);
        }

        if (answer.Failure is { } failure)
        {
            return new(null, null, failure, answers, isUnstructured);
        }

        UnreadableAnswerException first;
        try
        {
            return new(read(answer.Response), null, null, answers, isUnstructured);
        }
        catch (UnreadableAnswerException e) when (e.IsRefusal)
        {
            return new(null, e, null, answers, isUnstructured);
        }
        catch (UnreadableAnswerException e)
        {
            first = e;
        }

        var repaired = await calls.CompleteAsync(
            caller,
            call with
            {
                Messages =
                [
                    .. call.Messages,
                    new ChatMessage(ChatRole.Assistant, answer.Text.Length > 0 ? answer.Text : "…"),
                    new ChatMessage(
                        ChatRole.User,
                        $"That could not be read: {first.Message} {form}"
                    ),
                ],
                RunName = $"{call.RunName} (repair)",
            },
            cancellationToken
        );
        answers.Add(repaired);
        if (repaired.Failure is { } again)
        {
            return new(null, first, again, answers, isUnstructured);
        }

        try
        {
            return new(read(repaired.Response), first, null, answers, isUnstructured);
        }
        catch (UnreadableAnswerException second)
        {
            return new(null, second, null, answers, isUnstructured);
        }
    }
}

/// <summary>Reads answers that were asked for as JSON: strict about what is said, lenient about what stands around it. Pure.</summary>
internal static class AnswerText
{
    /// <summary>Why the model, or a filter of its provider, gave no answer; null when it gave one.</summary>
    public static string? Refusal(ChatResponse response)
    {
        var refusal = response
            .Messages.SelectMany(m => m.Contents)
            .OfType<ErrorContent>()
            .FirstOrDefault();
        return refusal is null && response.FinishReason != ChatFinishReason.ContentFilter ? null
            : refusal?.Message is { Length: > 0 } words ? $"The model refused: {words}"
            : "The provider's filter held the answer back.";
    }

    /// <summary>The first JSON object of a text: models put fences and friendly words around what was asked for. Null when there is none.</summary>
    public static JsonElement? FirstObject(string text)
    {
        var utf8 = Encoding.UTF8.GetBytes(text);
        for (
            var at = Array.IndexOf(utf8, (byte)'{');
            at >= 0;
            at = Array.IndexOf(utf8, (byte)'{', at + 1)
        )
        {
            try
            {
                var reader = new Utf8JsonReader(utf8.AsSpan(at));
                return JsonElement.ParseValue(ref reader);
            }
            catch (JsonException)
            {
                // A brace of the text around it; the next one may begin the object.
            }
        }

        return null;
    }

    /// <summary>The object that an answer is.</summary>
    /// <exception cref="UnreadableAnswerException">It is none.</exception>
    public static JsonElement Object(ChatResponse response)
    {
        if (Refusal(response) is { } words)
        {
            throw new UnreadableAnswerException(words, isRefusal: true);
        }

        var text = response.Text.Trim();
        if (text.Length == 0)
        {
            throw new UnreadableAnswerException("The answer is empty.");
        }

        return FirstObject(text)
            ?? throw new UnreadableAnswerException(
                response.FinishReason == ChatFinishReason.Length
                    ? "The answer ended at the limit of tokens before it was whole."
                    : "There is no JSON object in the answer."
            );
    }
}
