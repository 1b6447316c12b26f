using System.Net;
using System.Net.Http.Json;
using System.Text.Json;

namespace CompareVersions;

/// <summary>The few calls of the LangSmith wire that the sample needs.</summary>
internal sealed class AssayClient : IDisposable
{
    private readonly HttpClient _http;

    public AssayClient(Uri url, string key)
    {
        _http = new HttpClient { BaseAddress = new Uri(url, "/api/v1/") };
        _http.DefaultRequestHeaders.Add("x-api-key", key);
    }

    /// <summary>The dataset of that name; made from the file when there is none.</summary>
    public async Task<Dataset> DatasetAsync(string name, string csv)
    {
        var found = await JsonAsync(_http.GetAsync($"datasets?name={WebUtility.UrlEncode(name)}"));
        if (found.GetArrayLength() == 0)
        {
            var made = await JsonAsync(_http.PostAsJsonAsync("datasets", new { name }));
            await using var file = File.OpenRead(csv);
            using var content = new StreamContent(file);
            await JsonAsync(
                _http.PostAsync(
                    $"datasets/{made.GetProperty("id").GetGuid()}/import?format=csv&inputs=question&outputs=answer",
                    content
                )
            );
            found = await JsonAsync(_http.GetAsync($"datasets?name={WebUtility.UrlEncode(name)}"));
        }

        var id = found[0].GetProperty("id").GetGuid();
        var examples = await JsonAsync(_http.GetAsync($"examples?dataset={id}&limit=100"));
        return new Dataset(
            id,
            [
                .. examples
                    .EnumerateArray()
                    .Select(e => new Example(
                        e.GetProperty("id").GetGuid(),
                        e.GetProperty("inputs").GetProperty("question").GetString() ?? "",
                        e.GetProperty("outputs").GetProperty("answer").GetString() ?? ""
                    )),
            ]
        );
    }

    /// <summary>Uploads an experiment whole; returns its id.</summary>
    public async Task<Guid> UploadAsync(Dataset dataset, Experiment experiment)
    {
        var answer = await JsonAsync(
            _http.PostAsJsonAsync(
                "datasets/upload-experiment",
                new
                {
                    experiment_name = experiment.Name,
                    dataset_id = dataset.Id,
                    experiment_start_time = experiment.Rows[0].Start,
                    experiment_end_time = experiment.Rows[^1].End,
                    results = experiment.Rows.Select(r => new
                    {
                        row_id = r.Example.Id,
                        inputs = new { question = r.Example.Question },
                        expected_outputs = new { answer = r.Example.Answer },
                        actual_outputs = new { answer = r.Answer },
                        start_time = r.Start,
                        end_time = r.End,
                        evaluation_scores = r.Scores.Select(s => new
                        {
                            key = s.Key,
                            score = s.Number,
                            comment = s.Reason,
                        }),
                    }),
                }
            )
        );
        return answer.GetProperty("experiment").GetProperty("id").GetGuid();
    }

    public void Dispose() => _http.Dispose();

    private static async Task<JsonElement> JsonAsync(Task<HttpResponseMessage> request)
    {
        using var response = await request;
        return response.IsSuccessStatusCode
            ? await response.Content.ReadFromJsonAsync<JsonElement>()
            : throw new HttpRequestException(
                $"{(int)response.StatusCode}: {await response.Content.ReadAsStringAsync()}"
            );
    }
}

/// <summary>A dataset with its examples.</summary>
internal sealed record Dataset(Guid Id, IReadOnlyList<Example> Examples);

/// <summary>A question with the answer that is expected.</summary>
internal sealed record Example(Guid Id, string Question, string Answer);
