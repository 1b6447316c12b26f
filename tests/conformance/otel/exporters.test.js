// OpenTelemetry's own exporters, with and without compression, over every protocol.
import assert from "node:assert/strict";
import { test } from "node:test";
import { OTLPTraceExporter as Grpc } from "@opentelemetry/exporter-trace-otlp-grpc";
import { OTLPTraceExporter as Json } from "@opentelemetry/exporter-trace-otlp-http";
import { OTLPTraceExporter as Proto } from "@opentelemetry/exporter-trace-otlp-proto";
import { Metadata } from "@grpc/grpc-js";
import { BasicTracerProvider, BatchSpanProcessor } from "@opentelemetry/sdk-trace-base";
import { SpanStatusCode, trace, context, ROOT_CONTEXT } from "@opentelemetry/api";
import { resourceFromAttributes } from "@opentelemetry/resources";
import { headers, key, newProject, otlpGrpc, otlpHttp, readProject, url } from "./assay.js";

const metadata = new Metadata();
metadata.set("authorization", `Bearer ${key}`);
const exporters = {
  "JSON on 4318's port": () => new Json({ url: `${otlpHttp}/v1/traces`, headers }),
  "JSON, gzip, on the main port": () => new Json({ url: `${url}/v1/traces`, headers, compression: "gzip" }),
  protobuf: () => new Proto({ url: `${url}/otel/v1/traces`, headers: { authorization: `Basic ${Buffer.from(`pk:${key}`).toString("base64")}` } }),
  "protobuf, gzip": () => new Proto({ url: `${otlpHttp}/v1/traces`, headers, compression: "gzip" }),
  gRPC: () => new Grpc({ url: otlpGrpc, metadata }),
};

for (const [name, make] of Object.entries(exporters)) {
  test(name, async () => {
    const project = newProject();
    const provider = new BasicTracerProvider({ resource: resourceFromAttributes({ "service.name": project }), spanProcessors: [new BatchSpanProcessor(make())] });
    const tracer = provider.getTracer("conformance", "1.0");
    const root = tracer.startSpan("agent", { attributes: { "gen_ai.operation.name": "invoke_agent", "user.id": "ada" } }, ROOT_CONTEXT);
    const child = tracer.startSpan("chat gpt", { attributes: { "gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-4o-mini", "gen_ai.usage.input_tokens": 7, "gen_ai.usage.output_tokens": 3 } }, trace.setSpan(ROOT_CONTEXT, root));
    child.recordException(new Error("boom"));
    child.setStatus({ code: SpanStatusCode.ERROR, message: "boom" });
    child.end();
    root.end();
    await provider.forceFlush();
    await provider.shutdown();
    const read = await readProject(project);
    assert.equal(read.runs.length, 2);
    const [run] = read.roots;
    assert.equal(run.name, "agent");
    assert.equal(run.total_tokens, 10);
    assert.equal(run.children.length, 1);
    assert.equal(run.children[0].run_type, "llm");
    assert.equal(run.children[0].status, "error");
    assert.match(run.children[0].error, /boom/);
    assert.equal(run.trace_id.replaceAll("-", ""), root.spanContext().traceId);
  });
}
