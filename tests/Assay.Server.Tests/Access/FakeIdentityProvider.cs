using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Assay.Server.Tests.Access;

/// <summary>An OpenID Connect provider with one person in it: discovery, keys, code flow with PKCE.</summary>
public sealed class FakeIdentityProvider : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly RSA _key = RSA.Create(2048);
    private readonly ConcurrentDictionary<string, (string Nonce, string Challenge)> _codes = new();

    private FakeIdentityProvider(WebApplication app) => _app = app;

    public string Address { get; private set; } = "";

    public string Subject { get; set; } = "subject-1";

    public string Email { get; set; } = "person@sso.test";

    public bool IsVerified { get; set; } = true;

    public static async Task<FakeIdentityProvider> StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var provider = new FakeIdentityProvider(builder.Build());
        provider.Map();
        await provider._app.StartAsync(TestContext.Current.CancellationToken);
        provider.Address = provider._app.Urls.Single();
        return provider;
    }

    public async ValueTask DisposeAsync()
    {
        await _app.DisposeAsync();
        _key.Dispose();
    }

    private void Map()
    {
        _app.MapGet(
            "/.well-known/openid-configuration",
            () =>
                Results.Json(
                    new
                    {
                        issuer = Address,
                        authorization_endpoint = Address + "/authorize",
                        token_endpoint = Address + "/token",
                        jwks_uri = Address + "/keys",
                        response_types_supported = new[] { "code" },
                        subject_types_supported = new[] { "public" },
                        id_token_signing_alg_values_supported = new[] { "RS256" },
                    }
                )
        );
        _app.MapGet(
            "/keys",
            () =>
            {
                var key = _key.ExportParameters(includePrivateParameters: false);
                return Results.Json(
                    new
                    {
                        keys = new[]
                        {
                            new
                            {
                                kty = "RSA",
                                use = "sig",
                                alg = "RS256",
                                kid = "k1",
                                n = Text(key.Modulus!),
                                e = Text(key.Exponent!),
                            },
                        },
                    }
                );
            }
        );
        _app.MapGet(
            "/authorize",
            (HttpRequest request) =>
            {
                var q = request.Query;
                var code = Convert.ToHexString(RandomNumberGenerator.GetBytes(8));
                _codes[code] = (q["nonce"].ToString(), q["code_challenge"].ToString());
                return Results.Redirect(
                    $"{q["redirect_uri"]}?code={code}&state={Uri.EscapeDataString(q["state"].ToString())}"
                );
            }
        );
        _app.MapPost(
            "/token",
            async (HttpRequest request) =>
            {
                var form = await request.ReadFormAsync();
                if (
                    !_codes.TryRemove(form["code"].ToString(), out var known)
                    || Text(
                        SHA256.HashData(Encoding.ASCII.GetBytes(form["code_verifier"].ToString()))
                    ) != known.Challenge
                )
                {
                    return Results.BadRequest(new { error = "invalid_grant" });
                }

                var now = TimeProvider.System.GetUtcNow().ToUnixTimeSeconds();
                return Results.Json(
                    new
                    {
                        access_token = "opaque",
                        token_type = "Bearer",
                        expires_in = 300,
                        id_token = Sign(
                            new
                            {
                                iss = Address,
                                aud = "assay",
                                sub = Subject,
                                nonce = known.Nonce,
                                iat = now,
                                exp = now + 300,
                                email = Email,
                                email_verified = IsVerified,
                                name = "Person",
                            }
                        ),
                    }
                );
            }
        );
    }

    private string Sign(object payload)
    {
        var text =
            Text("{\"alg\":\"RS256\",\"typ\":\"JWT\",\"kid\":\"k1\"}"u8)
            + "."
            + Text(JsonSerializer.SerializeToUtf8Bytes(payload));
        return text
            + "."
            + Text(
                _key.SignData(
                    Encoding.ASCII.GetBytes(text),
                    HashAlgorithmName.SHA256,
                    RSASignaturePadding.Pkcs1
                )
            );
    }

    private static string Text(ReadOnlySpan<byte> bytes) =>
        System.Buffers.Text.Base64Url.EncodeToString(bytes);
}
