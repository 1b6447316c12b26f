from langsmith import Client, evaluate

NAME = "sample: capitals"
CAPITALS = {"France": "Paris", "Norway": "Oslo", "Japan": "Tokyo", "Kenya": "Nairobi", "Peru": "Lima", "Canada": "Ottawa"}

client = Client()
if not client.has_dataset(dataset_name=NAME):
    dataset = client.create_dataset(NAME)
    client.create_examples(
        dataset_id=dataset.id,
        examples=[{"inputs": {"country": c}, "outputs": {"capital": CAPITALS[c]}} for c in CAPITALS],
    )


def correct(outputs: dict, reference_outputs: dict) -> dict:
    return {"key": "correct", "score": outputs["capital"] == reference_outputs["capital"]}


versions = {
    "atlas": lambda inputs: {"capital": "?" if inputs["country"] == "Canada" else CAPITALS[inputs["country"]]},
    "guess": lambda inputs: {"capital": "Paris"},
}
for prefix, version in versions.items():
    evaluate(version, data=NAME, evaluators=[correct], experiment_prefix=prefix, client=client)
