namespace Assay.UI.Access;

/// <summary>What the forms of sign-in say when they are refused.</summary>
internal static class Problems
{
    public static string? Text(string? problem) =>
        problem switch
        {
            "weak" =>
                $"The password must have at least {SignInChoices.MinPasswordLength} characters, four of them different.",
            "email" => "That is not an e-mail address.",
            "taken" => "Somebody has an account with that e-mail address already.",
            "password" => "That is not the password of this account.",
            "current" => "That is not your current password.",
            _ => null,
        };
}
