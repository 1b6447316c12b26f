namespace Assay.UI.Access;

/// <summary>How people can sign in, as the host is configured.</summary>
/// <param name="SingleSignOn">What the button of the identity provider says; null when there is none.</param>
public sealed record SignInChoices(string? SingleSignOn)
{
    /// <summary>The shortest password.</summary>
    public const int MinPasswordLength = 10;
}
