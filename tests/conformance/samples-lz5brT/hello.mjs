import { traceable } from "langsmith/traceable";

const search = traceable(async (question) => ["Refunds take five days."], { name: "search", run_type: "retriever" });
const answer = traceable(async (question) => `As far as I know: ${await search(question)}`, { name: "answer" });
console.log(await answer("How long does a refund take?"));
