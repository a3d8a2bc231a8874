// Files of a form are stored as soon as they are chosen, dropped or pasted; the form then only names them.
// A part of the page with data-attachments="where files are stored" holds a file input, a place for what is going on
// (data-attaching) and a list (data-attached). Without this script the files are sent with the form.
"use strict";

(() => {
  const parts = () => [...document.querySelectorAll("[data-attachments]")];

  const say = (part, text) => { part.querySelector("[data-attaching]").textContent = text; };

  const busy = (part, change) => {
    const form = part.closest("form");
    const left = Number(form.dataset.attaching || 0) + change;
    form.dataset.attaching = left;
    form.querySelectorAll("button[type=submit]").forEach((button) => { button.disabled = left > 0; });
  };

  const list = (part, file, title) => {
    const item = document.createElement("li");
    const input = document.createElement("input");
    input.className = "form-control form-control-sm";
    input.name = `evidence.file.${file}`;
    input.value = title;
    input.maxLength = 500;
    input.required = true;
    input.setAttribute("aria-label", "附件标题");
    const button = document.createElement("button");
    button.type = "button";
    button.className = "btn btn-sm";
    button.dataset.detach = "";
    button.textContent = "移除";
    item.append(input, button);
    part.querySelector("[data-attached]").append(item);
  };

  const refusals = { 401: "登录已过期，请在新窗口登录后再选一次", 403: "没有上传附件的权限", 413: "文件过大" };

  const store = async (part, file, title) => {
    const response = await fetch(part.dataset.attachments, {
      method: "POST", headers: { "Content-Type": "application/octet-stream" }, body: file,
    });
    if (!response.ok) throw new Error(refusals[response.status] || "没有上传成功，请再试一次");
    list(part, (await response.json()).file, title);
  };

  const attach = async (part, files, titled) => {
    busy(part, 1);
    const failed = [];
    for (const file of files) {
      const title = titled ? titled() : file.name;
      say(part, `正在上传“${title}”…`);
      try { await store(part, file, title); } catch (error) {
        failed.push(`“${title}”${error instanceof TypeError ? "没有上传成功：连接中断，请再试一次" : error.message}`);
      }
    }
    busy(part, -1);
    say(part, failed.length ? failed.join("；") : `已附${part.querySelectorAll("[data-attached] li").length}个文件。`);
  };

  const screenshot = () => {
    const now = new Date();
    const two = (number) => String(number).padStart(2, "0");
    const day = `${now.getFullYear()}-${two(now.getMonth() + 1)}-${two(now.getDate())}`;
    return `截图 ${day} ${two(now.getHours())}:${two(now.getMinutes())}:${two(now.getSeconds())}`;
  };

  document.addEventListener("change", (event) => {
    const part = event.target.closest("[data-attachments]");
    if (!part || event.target.type !== "file" || !event.target.files.length) return;
    const files = [...event.target.files];
    event.target.value = "";
    attach(part, files);
  });

  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-detach]");
    if (!button) return;
    const part = button.closest("[data-attachments]");
    button.closest("li").remove();
    say(part, "已移除。");
  });

  for (const name of ["dragover", "dragleave", "drop"]) {
    document.addEventListener(name, (event) => {
      const part = event.target.closest?.("[data-attachments]");
      if (!part) return;
      event.preventDefault();
      part.classList.toggle("over", name === "dragover");
      if (name === "drop" && event.dataTransfer.files.length) attach(part, [...event.dataTransfer.files]);
    });
  }

  // A screenshot is pasted into the form that is being filled in, else into the one that is open.
  document.addEventListener("paste", (event) => {
    const files = [...(event.clipboardData?.files || [])];
    const own = event.target.closest?.("form")?.querySelector("[data-attachments]");
    const part = own || parts().find((one) => one.offsetParent !== null);
    if (!files.length || !part) return;
    event.preventDefault();
    attach(part, files, screenshot);
  });
})();
