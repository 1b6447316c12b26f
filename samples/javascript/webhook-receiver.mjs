// A receiver of prompt webhooks that checks signatures: WEBHOOK_SECRET=whsec_… node webhook-receiver.mjs
import { createHmac, timingSafeEqual } from "node:crypto";
import { createServer } from "node:http";

const secret = process.env.WEBHOOK_SECRET;

function isGenuine(signature, body) {
  const { t = "", v1 = "" } = Object.fromEntries((signature ?? "").split(",").map((part) => part.split("=")));
  // Old: perhaps somebody sends again what they overheard.
  if (!(Math.abs(Date.now() / 1000 - t) < 300)) return false;
  const expected = createHmac("sha256", secret).update(`${t}.`).update(body).digest("hex");
  return v1.length === expected.length && timingSafeEqual(Buffer.from(v1), Buffer.from(expected));
}

const server = createServer(async (request, response) => {
  const body = Buffer.concat(await request.toArray());
  const genuine = isGenuine(request.headers["x-assay-signature"], body);
  response.writeHead(genuine ? 204 : 401).end();
  if (!genuine) return;
  const told = JSON.parse(body);
  console.log(told.event, told.prompt_name, told.tag_name ?? "");
});
server.listen(process.env.PORT ?? 8900, () => console.log(`listening on ${server.address().port}`));
