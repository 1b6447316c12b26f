using Assay.Evaluation.Code;

namespace Assay.Evaluation.Tests;

/// <summary>Evaluators in JavaScript: what they may return, and that nothing they do reaches the host, the next answer, or the end of its patience.</summary>
public sealed class CodeEvaluatorTests
{
    private static readonly EvaluationInput s_input = EvaluationInput.OfJson(
        """{"output":"hello world","steps":[1,2,3]}""",
        """{"answer":"hello world"}""",
        """{"question":"say it"}"""
    );

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("return run.outputs.output === example.outputs.answer", 1.0)]
    [InlineData("return run.outputs.steps.length / 4", 0.75)]
    [InlineData("return {score: 0.5, comment: 'half'}", 0.5)]
    [InlineData("return {score: true}", 1.0)]
    [InlineData("return {results: [{score: 0.25}]}", 0.25)]
    [InlineData(
        "return [...new Set(run.outputs.output.split(/\\s+/).map(w => w.toLowerCase()))].filter(Boolean).length",
        2.0
    )]
    [InlineData(
        "return JSON.stringify({a:[1,'x\\n',null,undefined,true,new Date(0)],b:undefined}) === '{\"a\":[1,\"x\\\\n\",null,null,true,\"1970-01-01T00:00:00.000Z\"]}'",
        1.0
    )]
    [InlineData(
        "return [3,1,2].sort().concat([4],5).flat().join('-') + 'aXbX'.replaceAll('X','_') + 'a1'.replace(/\\d/g, d => d * 2) === '1-2-3-4-5a_b_a2'",
        1.0
    )]
    [InlineData("return inputsOf(run) === 'say it'", 1.0)]
    public async Task A_function_returns_a_score(string body, double score)
    {
        var result = await JudgeAsync(
            $"function inputsOf(run) {{ return run.inputs.question }} function evaluate(run, example) {{ {body} }}"
        );
        var found = Assert.Single(result.Scores);
        Assert.Empty(found.Diagnostics);
        Assert.Equal(score, found.Number);
        Assert.Equal("own", found.Key);
    }

    [Fact]
    public async Task Labels_values_keys_lists_promises_and_arrows_are_understood()
    {
        Assert.Equal(
            "good",
            (await JudgeAsync("function performEval() { return 'good' }")).Scores[0].Label
        );
        Assert.Equal(1, (await JudgeAsync("(run) => run.outputs.steps[0]")).Scores[0].Number);
        Assert.Equal(
            2,
            (await JudgeAsync("async function evaluate(run) { await null; return 2 }"))
                .Scores[0]
                .Number
        );
        var several = await JudgeAsync(
            "() => [{key:'a', score:1, reasoning:'because'}, {key:'b', value:{deep:[1]}}, {value:'label'}]"
        );
        Assert.Equal(["a", "b", "own"], several.Scores.Select(s => s.Key));
        Assert.Equal("because", several.Scores[0].Reason);
        Assert.Equal("""{"deep":[1]}""", several.Scores[1].Value?.GetRawText());
        Assert.Equal("label", several.Scores[2].Label);
        var spoken = await JudgeAsync("() => { console.log('hi', {a: 1}); return 1 }");
        Assert.Equal("console: hi {\"a\":1}", Assert.Single(spoken.Scores[0].Diagnostics).Message);
        Assert.False(spoken.Scores[0].IsFailed);
    }

    [Theory]
    [InlineData("\n null.x", "TypeError", "line 2")]
    [InlineData("throw new Error('no')", "Error: no", "line 1")]
    [InlineData("throw {why: 1}", "")]
    [InlineData("throw 'words'", "words")]
    [InlineData("return NaN", "not finite")]
    [InlineData("return undefined", "nothing that is a score")]
    [InlineData("return () => 1", "nothing that is a score")]
    [InlineData("return Symbol('x')", "nothing that is a score")]
    [InlineData("return {}", "without score")]
    [InlineData("return []", "empty list")]
    [InlineData("return {score: [1]}", "neither a number")]
    [InlineData("return Promise.reject(new Error('later'))", "Rejected: Error: later")]
    [InlineData("return new Promise(() => {})", "not settled")]
    public async Task What_goes_wrong_is_a_failed_score_that_says_so(
        string body,
        params string[] words
    )
    {
        var score = Assert.Single((await EvaluateAsync(body)).Scores);
        Assert.True(score.IsFailed);
        Assert.All(words, w => Assert.Contains(w, score.Diagnostics[0].Message));
    }

    [Theory]
    [InlineData("function (", "1:")]
    [InlineData("   ", "no code")]
    [InlineData("import fs from 'fs'", "import")]
    [InlineData("() => import('fs')", "import")]
    [InlineData("() => 2n ** 64n", "BigInt")]
    public void Code_that_cannot_be_used_is_known_before_it_runs(string source, string words)
    {
        Assert.Contains(words, CodeEvaluator.Check(source));
        Assert.Throws<FormatException>(() => new CodeEvaluator(source, "own"));
    }

    [Theory]
    [InlineData("function grade(run) { return 1; }", false)]
    [InlineData("let x = 1;", false)]
    [InlineData("function evaluate(run) { return 1; }", true)]
    [InlineData("const performEval = (run) => 1;", true)]
    [InlineData("globalThis.perform_eval = (run) => 1; let x = 1;", true)]
    [InlineData("(run) => 1", true)]
    public void Code_without_the_function_is_refused_before_it_runs(string code, bool isTaken) =>
        Assert.Equal(
            isTaken ? null : "The code has no function evaluate(run, example).",
            CodeEvaluator.Check(code)
        );

    [Fact]
    public void Code_nested_to_the_end_of_the_stack_is_refused()
    {
        // The first meets the engine's own bound, the second that or the end of the stack.
        foreach (var levels in new[] { 1_000, 30_000 })
        {
            var deep = $"x={new string('[', levels)}{new string(']', levels)}";
            Assert.Contains("nested", CodeEvaluator.Check(deep));
        }

        Assert.Contains("longer", CodeEvaluator.Check(new string(' ', 70_000) + "1"));
    }

    // Endless, deep, huge: each ends by a limit, none by the test's patience or the end of the process.
    [Theory]
    [InlineData("for (;;);")]
    [InlineData("throw {get message() { for (;;); }}")]
    [InlineData("return evaluate(run)")]
    [InlineData("const a = () => b(), b = () => a(); return a()")]
    [InlineData("function* g() { for (;;) yield 1 } for (const x of g());")]
    [InlineData("function* g() { for (;;) yield 1 } return [...g()].length")]
    [InlineData("return {get score() { for (;;); }}")]
    [InlineData("const t = {then(r) { r(t) }}; return t")]
    [InlineData("return /^(a+)+$/.test('a'.repeat(40) + 'b')")]
    [InlineData("return 'x'.repeat(60).replace(/(x+x+)+y/g, '') === ''")]
    [InlineData("return 'x'.repeat(2 ** 29).length")]
    [InlineData("return 'x'.padStart(2 ** 29).length")]
    [InlineData("let s = 'x'; for (let i = 0; i < 40; i++) s += s; return s.length")]
    [InlineData("let s = 'x'; for (let i = 0; i < 40; i++) s = `${s}${s}`; return s.length")]
    [InlineData("return new Array(4e9).length")]
    [InlineData("const a = []; a.length = 4e9; return a.indexOf(1)")]
    [InlineData("return new Array(1e8).fill(1).length")]
    [InlineData("const a = []; for (;;) a.push(a)")]
    [InlineData("const m = new Map(); for (let i = 0; ; i++) m.set(i, 'x'.repeat(1000))")]
    [InlineData("return Array.prototype.indexOf.call({length: 2 ** 53 - 1}, 1)")]
    [InlineData("return Array.from({length: 1e9}).length")]
    [InlineData("let a = [1]; for (let i = 0; i < 40; i++) a = [...a, ...a]; return a.length")]
    [InlineData("return Math.max.apply(null, {length: 1e9})")]
    [InlineData("return Reflect.apply(Math.max, null, {length: 1e9})")]
    [InlineData("return String.raw({raw: {length: 2 ** 53 - 1}}).length")]
    [InlineData("let a = ['x']; for (let i = 0; i < 40; i++) a = [a, a]; return JSON.stringify(a)")]
    [InlineData(
        "let a = ['x']; for (let i = 0; i < 40; i++) a = {a, b: a}; return {score: 1, value: a}"
    )]
    [InlineData("let a = ['x']; for (let i = 0; i < 40; i++) a = [a, a]; return a + ''")]
    [InlineData(
        "let a = ['x']; for (let i = 0; i < 40; i++) a = [a, a]; return a.flat(Infinity).length"
    )]
    [InlineData("let a = []; for (let i = 0; i < 1e5; i++) a = [a]; return String(a)")]
    [InlineData("const a = {}; a.a = a; return a")]
    [InlineData("return JSON.parse('['.repeat(500000) + ']'.repeat(500000)).length")]
    [InlineData("return JSON.parse('[1]', () => { for (;;); })")]
    [InlineData("let o = {}; for (let i = 0; i < 1e5; i++) o = Object.create(o); return o.nothing")]
    [InlineData("let o = {}; for (let i = 0; i < 1e5; i++) o = {__proto__: o}; return o.nothing")]
    [InlineData("let f = () => 1; for (let i = 0; i < 1e5; i++) f = f.bind(null); return f()")]
    [InlineData("return 'a'.repeat(1e6).replaceAll('a', 'b'.repeat(1e6)).length")]
    [InlineData("return 'a'.repeat(1e6).replace(/a/g, '$`').length")]
    [InlineData("const b = 'b'.repeat(1e6); return 'a'.repeat(1e6).replace(/a/g, () => b).length")]
    [InlineData(
        "const b = 'b'.repeat(1e6); return RegExp.prototype[Symbol.replace].call(/a/g, b, b).length"
    )]
    [InlineData("const b = 'b'.repeat(1e6); return new Array(100000).fill(b).join(b).length")]
    public async Task What_never_ends_is_ended(string body)
    {
        var score = Assert.Single((await EvaluateAsync(body)).Scores);
        Assert.True(score.IsFailed, $"{score.Number} {score.Label}");
    }

    [Theory]
    [InlineData("return eval('1')")]
    [InlineData("return (0, globalThis.eval)('1')")]
    [InlineData("return Function('return 1')()")]
    [InlineData("return (() => {}).constructor('return this')()")]
    [InlineData("return [].map.constructor.constructor('return 1')()")]
    [InlineData("return (async () => {}).constructor('return 1')()")]
    [InlineData("return (function* () {}).constructor('yield 1')().next().value")]
    [InlineData("return new Proxy({}, {}) && 1")]
    [InlineData("return System.IO.File.ReadAllText('/etc/passwd')")]
    [InlineData("return importNamespace('System').DateTime.Now + ''")]
    [InlineData("return run.GetType().Assembly.FullName")]
    [InlineData("return run.outputs.constructor.constructor('return process')()")]
    [InlineData("return require('fs') && 1")]
    [InlineData("return process.env && 1")]
    [InlineData("return fetch('http://localhost') && 1")]
    [InlineData("setTimeout(() => {}, 1); return 1")]
    [InlineData("return new SharedArrayBuffer(8) && 1")]
    [InlineData("return Atomics.wait(1) && 1")]
    public async Task There_is_no_way_out(string body)
    {
        var score = Assert.Single((await EvaluateAsync(body)).Scores);
        Assert.True(score.IsFailed, $"{score.Number} {score.Label}");
    }

    [Fact]
    public async Task Nothing_is_left_behind_for_the_next_answer()
    {
        var evaluator = new CodeEvaluator(
            """
            globalThis.count = (globalThis.count ?? 0) + 1;
            function evaluate() {
              const seen = globalThis.count + ({}.polluted ?? 0) + (Array.prototype.own ?? 0);
              Object.prototype.polluted = 10; Array.prototype.own = 10; globalThis.count++;
              JSON.stringify = () => '"owned"'; Object.keys = null; Array.prototype.map = null; String.prototype.slice = null;
              return seen;
            }
            """,
            "own"
        );
        for (var i = 0; i < 3; i++)
        {
            var result = await evaluator.EvaluateAsync(s_input, Cancel);
            Assert.Equal(1, Assert.Single(result.Scores).Number);
        }
    }

    [Theory]
    [InlineData("Object.prototype.toJSON = () => 'owned'; return 0.5")]
    [InlineData(
        "Object.defineProperty(Object.prototype, 'type', {get() { return 'x' }, set() {}}); return 0.5"
    )]
    [InlineData("Number.prototype.toJSON = () => 7; String = () => '7'; return 0.5")]
    public async Task What_is_done_to_prototypes_does_not_reach_the_answer(string body) =>
        Assert.Equal(0.5, Assert.Single((await EvaluateAsync(body)).Scores).Number);

    [Fact]
    public async Task The_same_answer_gets_the_same_score_and_many_are_judged_at_once()
    {
        var evaluator = new CodeEvaluator("() => Math.random()", "own");
        var scores = await Task.WhenAll(
            Enumerable.Range(0, 20).Select(_ => evaluator.EvaluateAsync(s_input, Cancel).AsTask())
        );
        Assert.Single(scores.Select(s => s.Scores[0].Number).Distinct());
        Assert.InRange(scores[0].Scores[0].Number!.Value, 0, 1);
    }

    [Fact]
    public async Task Cancelling_is_no_score()
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () =>
            await new CodeEvaluator("() => 1", "own").EvaluateAsync(s_input, stop.Token)
        );
    }

    private static async Task<EvaluationResult> JudgeAsync(string source) =>
        await new CodeEvaluator(source, "own").EvaluateAsync(s_input, Cancel);

    private static Task<EvaluationResult> EvaluateAsync(string body) =>
        JudgeAsync($"function evaluate(run, example) {{ {body} }}");
}
