// Sharing with the official JavaScript SDK, unmodified.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { test } from "node:test";
import { apiUrl, newClient, project, sendTree } from "./server.js";

test("a run is shared, read by everybody, listed and taken back", async () => {
  const client = newClient();
  const { root, children } = await sendTree(client, project());
  assert.equal(await client.readRunSharedLink(root.id), undefined);
  const link = await client.shareRun(root.id);
  const token = link.match(/\/public\/([0-9a-f-]{36})\/r$/)[1];
  assert.equal(await client.readRunSharedLink(root.id), link);
  const page = await fetch(`${process.env.ASSAY_URL}/public/${token}/r`);
  assert.equal(page.status, 200);

  const stranger = newClient({ apiKey: "nobody" });
  assert.deepEqual((await stranger.listSharedRuns(token)).map((r) => r.id).sort(), [root.id, ...children.map((c) => c.id)].sort());
  assert.deepEqual((await stranger.listSharedRuns(token, { runIds: [children[0].id] })).map((r) => r.id), [children[0].id]);
  const shared = await (await fetch(`${apiUrl}/public/${token}/run`)).json();
  assert.equal(shared.id, root.id);

  await client.unshareRun(root.id);
  assert.equal(await client.readRunSharedLink(root.id), undefined);
  await assert.rejects(stranger.listSharedRuns(token), /404|not found/i);
});

test("a wished share id is kept", async () => {
  const client = newClient();
  const { root } = await sendTree(client, project());
  const shareId = randomUUID();
  assert.ok((await client.shareRun(root.id, { shareId })).includes(shareId));
});
