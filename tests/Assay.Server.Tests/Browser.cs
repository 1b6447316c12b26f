using System.Net;
using System.Text.RegularExpressions;

namespace Assay.Server.Tests;

/// <summary>A browser without eyes: keeps cookies, sends Origin with forms, takes the hidden fields of the page's form along.</summary>
public sealed partial class Browser : IDisposable
{
    public Browser(Uri address)
    {
        Client = new HttpClient(
            new SocketsHttpHandler { CookieContainer = Cookies, AllowAutoRedirect = false }
        )
        {
            BaseAddress = address,
        };
        Client.DefaultRequestHeaders.Add("Accept", "text/html,*/*");
    }

    public HttpClient Client { get; }

    public CookieContainer Cookies { get; } = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public Task<HttpResponseMessage> GetAsync(string path) => Client.GetAsync(path, Cancel);

    public async Task<string> PageAsync(string path)
    {
        using var response = await GetAsync(path);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        return await response.Content.ReadAsStringAsync(Cancel);
    }

    /// <summary>Opens a page, fills its form that posts to <paramref name="action"/> and sends it.</summary>
    public async Task<HttpResponseMessage> SubmitAsync(
        string page,
        string action,
        params (string Name, string Value)[] fields
    )
    {
        var html = await PageAsync(page);
        var form =
            Forms().Matches(html).FirstOrDefault(f => f.Value.Contains($"action=\"{action}\""))
            ?? throw new InvalidOperationException($"No form posts to {action} on {page}.");
        return await PostAsync(action, form.Value, fields);
    }

    /// <summary>Sends the form of a page named by <c>@formname</c>, as Blazor's static pages have them.</summary>
    public async Task<HttpResponseMessage> SubmitNamedAsync(
        string page,
        string name,
        params (string Name, string Value)[] fields
    )
    {
        var html = await PageAsync(page);
        var form =
            Forms()
                .Matches(html)
                .FirstOrDefault(f => f.Value.Contains($"name=\"_handler\" value=\"{name}\""))
            ?? throw new InvalidOperationException($"No form {name} on {page}.");
        return await PostAsync(page, form.Value, fields);
    }

    public async Task<HttpResponseMessage> PostAsync(
        string path,
        string form,
        params (string Name, string Value)[] fields
    )
    {
        var values = new Dictionary<string, string>();
        foreach (Match hidden in Hidden().Matches(form))
        {
            var name = Attribute(hidden.Value, "name");
            if (name.Length > 0)
            {
                values[name] = Attribute(hidden.Value, "value");
            }
        }

        foreach (var (name, value) in fields)
        {
            values[name] = value;
        }

        using var request = new HttpRequestMessage(HttpMethod.Post, path)
        {
            Content = new FormUrlEncodedContent(values),
        };
        request.Headers.Add("Origin", Client.BaseAddress!.GetLeftPart(UriPartial.Authority));
        return await Client.SendAsync(request, Cancel);
    }

    public void Dispose() => Client.Dispose();

    private static string Attribute(string tag, string name) =>
        tag.Split($" {name}=\"") is [_, var rest, ..]
            ? WebUtility.HtmlDecode(rest[..rest.IndexOf('"')])
            : "";

    [GeneratedRegex("<form.*?</form>", RegexOptions.Singleline, 5_000)]
    private static partial Regex Forms();

    [GeneratedRegex("<input type=\"hidden\"[^>]*>", RegexOptions.None, 5_000)]
    private static partial Regex Hidden();
}
