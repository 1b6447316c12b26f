from langsmith import traceable


@traceable(run_type="retriever")
def search(question: str) -> list[str]:
    return ["Refunds take five days."]


@traceable
def answer(question: str) -> str:
    return f"As far as I know: {search(question)[0]}"


print(answer("How long does a refund take?"))
