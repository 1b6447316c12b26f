using System.Runtime.InteropServices;

namespace Assay.Storage.Journals;

/// <summary>Directories whose entries must survive a power cut.</summary>
internal static partial class DurableDirectory
{
    /// <summary>Makes a created or renamed file survive a power cut: on POSIX systems the directory has to be synced too; .NET opens no directories, so the C library does.</summary>
    public static void Sync(string directory)
    {
        if (OperatingSystem.IsWindows())
        {
            return;
        }

        var descriptor = OpenDirectory(directory, 0);
        if (descriptor < 0)
        {
            throw new IOException("A directory of the store cannot be opened to be synced.");
        }

        var result = Flush(descriptor);
        _ = Close(descriptor);
        if (result != 0)
        {
            throw new IOException("A directory of the store cannot be synced.");
        }
    }

    [LibraryImport("libc", EntryPoint = "open", StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int OpenDirectory(string path, int flags);

    [LibraryImport("libc", EntryPoint = "fsync")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Flush(int descriptor);

    [LibraryImport("libc", EntryPoint = "close")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Close(int descriptor);
}
