using Assay.Core.Access;
using Assay.Core.Datasets;

namespace Assay.UI.Experiments;

/// <summary>Whose results a page shows and where its addresses begin: a member's own dataset, or one that is shared by a link.</summary>
/// <param name="Caller">Who reads; of a shared dataset a visitor that may read only.</param>
/// <param name="Dataset">The dataset.</param>
/// <param name="Pages">Addresses of pages begin with this.</param>
/// <param name="Endpoints">Addresses of fragments and files begin with this.</param>
/// <param name="IsShared">Nothing outside the dataset may be linked to.</param>
public sealed record ResultsSource(
    Caller Caller,
    Dataset Dataset,
    string Pages,
    string Endpoints,
    bool IsShared
)
{
    /// <summary>Who reads, when it is somebody with the link alone.</summary>
    public Caller? Visitor => IsShared ? Caller : null;

    /// <summary>A dataset of the caller.</summary>
    public static ResultsSource Own(Caller caller, Dataset dataset) =>
        new(caller, dataset, $"/data/{dataset.Id}", $"/ui/data/{dataset.Id}", false);

    /// <summary>A dataset that is shared under its token.</summary>
    public static ResultsSource Shared(Dataset dataset) =>
        new(
            new Caller(dataset.WorkspaceId, Permission.Read, Name: "public link"),
            dataset,
            $"/public/{dataset.ShareToken}/d",
            $"/ui/public/{dataset.ShareToken}",
            true
        );
}
