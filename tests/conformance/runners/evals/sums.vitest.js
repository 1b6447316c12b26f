// An evaluation as a Vitest suite, the way LangSmith's guide writes one.
import { expect } from "vitest";
import * as ls from "langsmith/vitest";

const add = ls.wrapEvaluator(({ outputs, referenceOutputs }) => ({ key: "exact", score: outputs.sum === referenceOutputs.sum, comment: "compared" }));

ls.describe(
  process.env.ASSAY_SUITE,
  () => {
    ls.test("adds small numbers", { inputs: { a: 1, b: 2 }, referenceOutputs: { sum: 3 }, split: "easy" }, async ({ inputs, referenceOutputs }) => {
      const outputs = { sum: inputs.a + inputs.b };
      ls.logOutputs(outputs);
      ls.logFeedback({ key: "digits", score: String(outputs.sum).length });
      await add({ inputs, outputs, referenceOutputs });
      expect(outputs.sum).toBe(referenceOutputs.sum);
    });
    ls.test.each([
      { inputs: { a: 10, b: 20 }, referenceOutputs: { sum: 30 } },
      { inputs: { a: 5, b: 5 }, referenceOutputs: { sum: 11 } },
    ])("adds the rest", async ({ inputs, referenceOutputs }) => {
      const outputs = { sum: inputs.a + inputs.b };
      await add({ inputs, outputs, referenceOutputs });
      ls.logOutputs(outputs);
      expect(outputs.sum).toBe(referenceOutputs.sum);
    });
    ls.test("repeats", { inputs: { a: 0, b: 0 }, referenceOutputs: { sum: 0 }, config: { repetitions: 3 } }, async ({ inputs }) => ({ sum: inputs.a + inputs.b }));
  },
  { metadata: { model: "abacus" } },
);
