using Assay.Core.Access;
using Assay.Core.Metadata;
using Microsoft.EntityFrameworkCore;

namespace Assay.Core.Views;

/// <summary>What a view shows.</summary>
/// <param name="List">See <see cref="SavedView.List"/>.</param>
/// <param name="Query">See <see cref="SavedView.Query"/>.</param>
/// <param name="Columns">See <see cref="SavedView.Columns"/>.</param>
/// <param name="Sort">See <see cref="SavedView.Sort"/>.</param>
/// <param name="IsAscending">See <see cref="SavedView.IsAscending"/>.</param>
public sealed record ViewContent(
    string List,
    string Query,
    string? Columns,
    string? Sort,
    bool IsAscending
);

/// <summary>The saved views of a workspace. Thread-safe.</summary>
public sealed class SavedViews(IDbContextFactory<MetadataContext> metadata, TimeProvider time)
{
    /// <summary>The longest name, in characters.</summary>
    public const int MaxName = 100;

    private const int MaxText = 4_000;
    private const int MaxViews = 500;
    private static readonly string[] s_lists = ["traces", "runs", "llm", "threads"];

    /// <summary>All of them, by name.</summary>
    public async Task<IReadOnlyList<SavedView>> ListAsync(
        Caller caller,
        CancellationToken cancellationToken
    )
    {
        caller.Demand(Permission.Read);
        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        return await db
            .SavedViews.AsNoTracking()
            .Where(v => v.WorkspaceId == caller.WorkspaceId)
            .OrderBy(v => v.Name)
            .ToListAsync(cancellationToken);
    }

    /// <summary>Saves a view; with <paramref name="replaces"/> in place of one of the same name.</summary>
    /// <exception cref="SavedViewException">The name is taken or makes no sense, the content does not, or there are too many.</exception>
    public async Task<SavedView> SaveAsync(
        Caller caller,
        string name,
        ViewContent content,
        bool replaces,
        CancellationToken cancellationToken
    )
    {
        caller.Demand(Permission.Write);
        name = Checked(name);
        Check(content);
        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        var view = await FindAsync(db, caller, name, cancellationToken);
        if (view is not null && !replaces)
        {
            throw SavedViewException.Taken(name);
        }

        var now = time.GetUtcNow();
        if (view is null)
        {
            var count = await db.SavedViews.CountAsync(
                v => v.WorkspaceId == caller.WorkspaceId,
                cancellationToken
            );
            if (count >= MaxViews)
            {
                throw new SavedViewException(
                    $"There are {MaxViews} views already; delete one first."
                );
            }

            view = new SavedView
            {
                Id = Guid.CreateVersion7(now),
                WorkspaceId = caller.WorkspaceId,
                Name = name,
                List = content.List,
                Query = content.Query,
                CreatedBy = caller.Name,
                CreatedAt = now,
            };
            db.SavedViews.Add(view);
        }

        view.List = content.List;
        view.Query = content.Query;
        view.Columns = content.Columns;
        view.Sort = content.Sort;
        view.IsAscending = content.IsAscending;
        view.ModifiedAt = now;
        await WriteAsync(db, name, cancellationToken);
        return view;
    }

    /// <summary>Gives a view another name; false when there is no such view.</summary>
    /// <exception cref="SavedViewException">The name is taken or makes no sense.</exception>
    public async Task<bool> RenameAsync(
        Caller caller,
        Guid id,
        string name,
        CancellationToken cancellationToken
    )
    {
        caller.Demand(Permission.Write);
        name = Checked(name);
        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        var view = await db.SavedViews.SingleOrDefaultAsync(
            v => v.WorkspaceId == caller.WorkspaceId && v.Id == id,
            cancellationToken
        );
        if (view is null)
        {
            return false;
        }

        if (await FindAsync(db, caller, name, cancellationToken) is { } other && other.Id != id)
        {
            throw SavedViewException.Taken(name);
        }

        view.Name = name;
        view.ModifiedAt = time.GetUtcNow();
        await WriteAsync(db, name, cancellationToken);
        return true;
    }

    /// <summary>Deletes a view; false when there is no such view.</summary>
    public async Task<bool> DeleteAsync(Caller caller, Guid id, CancellationToken cancellationToken)
    {
        caller.Demand(Permission.Delete);
        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        return await db
                .SavedViews.Where(v => v.WorkspaceId == caller.WorkspaceId && v.Id == id)
                .ExecuteDeleteAsync(cancellationToken) > 0;
    }

    private static Task<SavedView?> FindAsync(
        MetadataContext db,
        Caller caller,
        string name,
        CancellationToken cancellationToken
    ) =>
        db.SavedViews.SingleOrDefaultAsync(
            v => v.WorkspaceId == caller.WorkspaceId && v.Name == name,
            cancellationToken
        );

    private static async Task WriteAsync(
        MetadataContext db,
        string name,
        CancellationToken cancellationToken
    )
    {
        try
        {
            await db.SaveChangesAsync(cancellationToken);
        }
        catch (DbUpdateException)
        {
            // Somebody else took the name between the look and the write.
            throw SavedViewException.Taken(name);
        }
    }

    private static string Checked(string name)
    {
        name = name.Trim();
        return name.Length is > 0 and <= MaxName && !name.Any(char.IsControl)
            ? name
            : throw new SavedViewException($"A name has 1 to {MaxName} characters.");
    }

    private static void Check(ViewContent content)
    {
        if (
            !s_lists.Contains(content.List)
            || content.Query.Length > MaxText
            || content.Columns?.Length > MaxText
            || content.Sort?.Length > MaxText
        )
        {
            throw new SavedViewException(
                $"A view has one of the lists {string.Join(", ", s_lists)} and texts of at most {MaxText} characters."
            );
        }
    }
}

/// <summary>A view that cannot be saved. Hosts answer 409 when its name is taken, else 400.</summary>
public sealed class SavedViewException(string message) : Exception(message)
{
    /// <summary>Whether another view has the name.</summary>
    public bool IsTaken { get; private init; }

    internal static SavedViewException Taken(string name) =>
        new($"There is a view “{name}” already.") { IsTaken = true };
}
