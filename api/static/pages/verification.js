// Checks a receipt in the page: leaf and inclusion proof (RFC 9162 section 2.1.3.2), the checkpoint (C2SP tlog-checkpoint)
// and its signature (C2SP signed-note, Ed25519), against a key that was typed. Nothing is sent anywhere.
// A module, so that its names are its own; modules are strict.
const FORMAT = "mingzhang/receipt/1";
const LARGEST = 4_000_000;
const encoder = new TextEncoder();

class Refused extends Error {}

const refuse = (sentence) => { throw new Refused(sentence); };
const hex = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
const same = (left, right) => hex(left) === hex(right);

function fromHex(text) {
  if (typeof text !== "string" || !/^[0-9a-f]{64}$/.test(text)) refuse("散列值应为 64 位十六进制数字");
  return Uint8Array.from(text.match(/../g), (pair) => parseInt(pair, 16));
}

// Base64 has one spelling only: what is read, written again, gives the same text.
function fromBase64(text, what) {
  let read = "";
  try { read = atob(text); } catch { refuse(`${what}不是 base64`); }
  if (btoa(read) !== text) refuse(`${what}的 base64 写法不规范`);
  return Uint8Array.from(read, (character) => character.charCodeAt(0));
}

function joined(...parts) {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) { whole.set(part, at); at += part.length; }
  return whole;
}

const sha256 = async (...parts) => new Uint8Array(await crypto.subtle.digest("SHA-256", joined(...parts)));

function parsedReceipt(text) {
  if (!text.trim()) refuse("没有内容：请选择或粘贴回执文件");
  if (text.length > LARGEST) refuse("文件过大，不是回执");
  if (text.startsWith('{"bundle":')) refuse("这是证明包，请在下面“核对证明包”一栏核对");
  let found = null;
  try { found = JSON.parse(text); } catch { refuse("不是有效的 JSON 文件，可能没有复制完整"); }
  if (found === null || typeof found !== "object" || found.format !== FORMAT) refuse(`不是本系统的回执文件（应注明 ${FORMAT}）`);
  for (const name of ["position", "size"]) {
    if (!Number.isSafeInteger(found[name]) || found[name] < 1) refuse(`${name} 应为正整数`);
  }
  for (const name of ["jurisdiction", "leaf_hash", "root", "checkpoint", "event", "recorded_at", "actor"]) {
    if (typeof found[name] !== "string") refuse(`缺少 ${name}`);
  }
  if (!Array.isArray(found.hashes) || found.hashes.length > 64) refuse("hashes 应为至多 64 个散列值");
  if (found.entry !== null && typeof found.entry !== "string") refuse("entry 应为 base64 或空");
  return found;
}

// The root that the path leads to, with the steps of the RFC; sizes are beyond what bit operations take, so BigInt.
async function rootFrom(leaf, position, size, path) {
  let fn = BigInt(position) - 1n;
  let sn = BigInt(size) - 1n;
  if (fn > sn) refuse(`第 ${position} 号不在 ${size} 条之内`);
  let computed = leaf;
  for (const value of path) {
    if (sn === 0n) refuse("收录证明过长");
    if ((fn & 1n) === 1n || fn === sn) {
      computed = await sha256(Uint8Array.of(1), value, computed);
      while ((fn & 1n) === 0n && fn !== 0n) { fn >>= 1n; sn >>= 1n; }
    } else {
      computed = await sha256(Uint8Array.of(1), computed, value);
    }
    fn >>= 1n;
    sn >>= 1n;
  }
  if (sn !== 0n) refuse("收录证明过短");
  return computed;
}

function parsedNote(note) {
  if (/[\x00-\x09\x0b-\x1f]/.test(note)) refuse("检查点含有控制字符");
  const at = note.lastIndexOf("\n\n");
  if (at < 0 || !note.endsWith("\n")) refuse("检查点不完整：应有正文、空行和签名行");
  const text = note.slice(0, at + 1);
  const signatures = note.slice(at + 2, -1).split("\n").map((line) => {
    const found = /^— ([^ ]+) ([^ ]+)$/.exec(line) ?? refuse("检查点的签名行写法不对");
    const bytes = fromBase64(found[2], "签名");
    return { name: found[1], id: hex(bytes.slice(0, 4)), value: bytes.slice(4) };
  });
  const [origin, size, root] = text.split("\n");
  if (!/^(0|[1-9][0-9]{0,18})$/.test(size ?? "")) refuse("检查点的条数写法不对");
  return { text, signatures, origin, size, root: fromBase64(root ?? "", "检查点的根") };
}

async function parsedKey(written) {
  const found = /^([^+\s]+)\+([0-9a-f]{8})\+(.+)$/.exec(written) ?? refuse("公钥写法不对，应为“名称+八位编号+base64”");
  const [, name, id, encoded] = found;
  const typed = fromBase64(encoded, "公钥");
  if (typed.length !== 33 || typed[0] !== 1) refuse("公钥应为 Ed25519 签名公钥");
  const digest = await sha256(encoder.encode(`${name}\n`), typed);
  if (hex(digest.slice(0, 4)) !== id) refuse("公钥的编号与内容不符，可能抄错了");
  return { name, id, bytes: typed.slice(1) };
}

async function verifies(key, signature, text) {
  let imported = null;
  try {
    imported = await crypto.subtle.importKey("raw", key.bytes, "Ed25519", false, ["verify"]);
  } catch {
    return null;
  }
  return crypto.subtle.verify("Ed25519", imported, signature, encoder.encode(text));
}

// Each step gives a sentence, and whether it was checked at all.
const held = (title, sentence) => ({ title, sentence, mark: "held" });
const unchecked = (title, sentence) => ({ title, sentence, mark: "unchecked" });

async function* steps(text, written) {
  // 1. The form.
  const receipt = parsedReceipt(text);
  yield held("回执", `台账 ${receipt.jurisdiction} 第 ${receipt.position} 号记录，检查点共 ${receipt.size} 条`);
  // 2. The leaf, from the entry's own bytes where they are given.
  const leaf = fromHex(receipt.leaf_hash);
  if (receipt.entry === null) {
    yield unchecked("记录原文", `回执未附原文，登记时间（${receipt.recorded_at}）和经手人（${receipt.actor}）未经核对，只核对散列值 ${receipt.leaf_hash}`);
  } else {
    const bytes = fromBase64(receipt.entry, "记录原文");
    if (!same(await sha256(Uint8Array.of(0), bytes), leaf)) refuse("记录原文的散列值与回执所写不符：原文或回执被改动");
    let entry = null;
    try { entry = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes)); } catch { refuse("记录原文不是 JSON"); }
    const moment = Date.parse(receipt.recorded_at) === Date.parse(entry.recorded_at);
    if (entry.ledger !== receipt.jurisdiction || entry.actor !== receipt.actor || entry.type !== receipt.event || !moment) {
      refuse("回执所写的台账、类型、时间或经手人与记录原文不符");
    }
    yield held("记录原文", `原文的散列值与回执一致；由 ${entry.actor} 于 ${entry.recorded_at} 登记`);
  }
  // 3. The inclusion proof.
  const root = await rootFrom(leaf, receipt.position, receipt.size, receipt.hashes.map(fromHex));
  if (hex(root) !== receipt.root) refuse("由收录证明算出的根与回执所写不符：这一条不在该检查点之内，或被改动");
  yield held("收录证明", `由 ${receipt.hashes.length} 个散列值逐层算出的根与回执一致`);
  // 4. The checkpoint.
  const note = parsedNote(receipt.checkpoint);
  if (note.size !== String(receipt.size) || !same(note.root, root)) refuse("检查点的条数或根与收录证明不符");
  if (!note.origin.endsWith(`/${receipt.jurisdiction}`)) refuse(`检查点属于 ${note.origin}，不是台账 ${receipt.jurisdiction} 的`);
  yield held("检查点", `${note.origin} 共 ${note.size} 条，根与收录证明一致`);
  // 5. The signature, by the key from the minutes.
  if (!written) {
    yield unchecked("签名", "没有填写公钥，签名未核对。回执里附的公钥不作数，请从会议纪要上抄录");
    return;
  }
  const key = await parsedKey(written);
  if (key.name !== note.origin) refuse(`公钥属于 ${key.name}，不是 ${note.origin} 的`);
  const signatures = note.signatures.filter((one) => one.name === key.name && one.id === key.id);
  if (signatures.length !== 1) refuse("检查点不是这把公钥签署的");
  const verdict = await verifies(key, signatures[0].value, note.text);
  if (verdict === null) {
    yield unchecked("签名", "此浏览器不支持 Ed25519，签名未核对；请换用较新的浏览器，或用命令 mingzhang verify 核对证明包");
    return;
  }
  if (!verdict) refuse("签名不成立：检查点或签名被改动");
  yield held("签名", `检查点由公钥 ${key.name}+${key.id} 签署，签名成立`);
}

const TITLES = ["回执", "记录原文", "收录证明", "检查点", "签名"]; // of the steps, in their order

function element(name, text, className = "") {
  const made = document.createElement(name);
  made.textContent = text;
  made.className = className;
  return made;
}

async function check(text, written, shown) {
  shown.replaceChildren();
  if (!window.crypto?.subtle) {
    shown.append(element("p", "浏览器只在加密连接（https）或本机地址下提供密码学计算。请用 https 地址打开本页。", "alert alert-warning"));
    return;
  }
  const list = element("ol", "", "steps");
  const title = element("h3", "");
  shown.append(title, list);
  const line = (step, words, mark) => {
    const made = element("li", "", mark);
    made.append(element("strong", step), `：${words}。`);
    list.append(made);
  };
  const judge = (words, kind) => { title.textContent = words; title.className = kind; };
  let checked = true;
  let done = 0;
  try {
    for await (const step of steps(text, written)) {
      line(step.title, step.sentence, step.mark);
      done += 1;
      if (step.mark !== "held" && step.title === "签名") checked = false;
    }
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    line(TITLES[done], `不成立。${error.message}`, "failed");
    judge("不成立", "alert alert-danger");
    shown.append(element("p", "核对到此为止，以后各步没有进行。"));
    return;
  }
  if (checked) judge("各步都成立", "alert alert-success");
  else judge("签名未核对，尚不能证明", "alert alert-warning");
  shown.append(element("p", "不能由此证明的：事实是否真的发生过；检查点之后又登记了什么，包括这一条后来是否更正或作废。"));
}

const form = document.getElementById("receipt-form");
const area = document.getElementById("receipt-text");
const file = document.getElementById("receipt-file");

async function take(chosen) {
  area.value = await chosen.slice(0, LARGEST + 1).text();
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  check(area.value, document.getElementById("receipt-key").value.trim(), document.getElementById("receipt-result"));
});
file.addEventListener("change", () => { if (file.files.length) take(file.files[0]); });
for (const type of ["dragover", "dragleave", "drop"]) {
  area.addEventListener(type, (event) => {
    event.preventDefault();
    area.classList.toggle("dropping", type === "dragover");
    if (type === "drop" && event.dataTransfer.files.length) take(event.dataTransfer.files[0]);
  });
}
