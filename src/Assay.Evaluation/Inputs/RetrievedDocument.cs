namespace Assay.Evaluation;

/// <summary>A document a retriever returned.</summary>
/// <param name="Id">What identifies the document in the corpus; compared ordinally.</param>
/// <param name="Text">Its text, when recorded.</param>
/// <param name="Similarity">The retriever's own score, when recorded; the order of the list is what counts.</param>
public sealed record RetrievedDocument(string Id, string? Text = null, double? Similarity = null);

/// <summary>A document that should be found for an example.</summary>
/// <param name="Id">What identifies the document in the corpus; compared ordinally.</param>
/// <param name="Gain">
/// How relevant it is, above zero; 1 for plain "relevant". Only nDCG reads grades, the other measures count any gain as
/// relevant.
/// </param>
public sealed record RelevantDocument(string Id, double Gain = 1);
