// The same as a Jest suite.
const ls = require("langsmith/jest");

ls.describe(
  process.env.ASSAY_SUITE,
  () => {
    ls.test("adds small numbers", { inputs: { a: 1, b: 2 }, referenceOutputs: { sum: 3 }, split: "easy" }, async ({ inputs, referenceOutputs }) => {
      const outputs = { sum: inputs.a + inputs.b };
      ls.logOutputs(outputs);
      ls.logFeedback({ key: "digits", score: String(outputs.sum).length });
      expect(outputs.sum).toBe(referenceOutputs.sum);
    });
    ls.test("adds wrongly", { inputs: { a: 5, b: 5 }, referenceOutputs: { sum: 11 } }, async ({ inputs, referenceOutputs }) => {
      const outputs = { sum: inputs.a + inputs.b };
      ls.logOutputs(outputs);
      expect(outputs.sum).toBe(referenceOutputs.sum);
    });
    ls.test("repeats", { inputs: { a: 0, b: 0 }, referenceOutputs: { sum: 0 }, config: { repetitions: 3 } }, async ({ inputs }) => ({ sum: inputs.a + inputs.b }));
  },
  { metadata: { model: "abacus" } },
);
