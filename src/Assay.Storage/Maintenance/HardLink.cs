using System.Runtime.InteropServices;

namespace Assay.Storage.Maintenance;

/// <summary>A second name for a file; .NET has no call for it, so the C library does it.</summary>
internal static partial class HardLink
{
    /// <summary>False where the file system has none, or the two places are on different ones.</summary>
    public static bool TryCreate(string existing, string added) =>
        !OperatingSystem.IsWindows() && Link(existing, added) == 0;

    [LibraryImport("libc", EntryPoint = "link", StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Link(string existing, string added);
}
