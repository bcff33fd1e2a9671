(() => {
  // Each sound must have been heard for half of the clip, three seconds at most, before it can be judged.
  const HEARD_SHARE = 0.5, HEARD_S = 3;
  const study = JSON.parse(document.getElementById("study").textContent);
  const $ = (selector) => document.querySelector(selector);
  const video = $("video"), audios = [$("audio.a"), $("audio.b")];
  const state = { rater: "", votes: {}, at: 0, side: -1, heard: [0, 0], last: 0, shown: 0, playing: false };

  // What is kept survives a reload. Where a browser keeps nothing, the page works without and says so.
  const store = {
    get(name) { try { return localStorage.getItem(`listen-${study.study}-${name}`); } catch { return null; } },
    set(name, text) { try { localStorage.setItem(`listen-${study.study}-${name}`, text); return true; } catch { return false; } },
  };

  // Raters with numbers follow each other in the prepared orders; a name gets one by its letters.
  const orderOf = (rater) => {
    const number = /^\D*(\d+)$/.exec(rater);
    if (number) return (Number(number[1]) + study.orders.length - 1) % study.orders.length;
    let hash = 2166136261;
    for (const letter of rater) hash = Math.imul(hash ^ letter.codePointAt(0), 16777619) >>> 0;
    return hash % study.orders.length;
  };

  const trials = () => study.orders[orderOf(state.rater)];
  const trial = (at) => {
    const code = trials()[at], item = study.items[code >> 1];
    const [left, right] = code & 1 ? [item[2], item[1]] : [item[1], item[2]];
    return { video: item[0], left, right, duration: item[3], key: `${left} ${right}` };
  };
  const source = (id, ending) => `media/${id}.${ending}`;
  const show = (id) => {
    for (const name of ["start", "trial", "end"]) document.getElementById(name).hidden = name !== id;
    $(".count").hidden = id !== "trial";
  };

  const answered = () => trials().filter((_, at) => state.votes[trial(at).key]).length;
  const paintProgress = () => {
    const share = Math.round((100 * answered()) / trials().length);
    $(".bar i").style.width = share + "%";
    $(".bar").setAttribute("aria-valuenow", String(share));
    $("#at").textContent = state.at + 1;
    $("#of").textContent = trials().length;
  };

  const paint = () => {
    const now = trial(state.at), needed = Math.min(HEARD_SHARE * now.duration, HEARD_S);
    const ready = state.heard.every((seconds) => seconds >= needed) || Boolean(state.votes[now.key]);
    document.querySelectorAll(".sound").forEach((button, side) => {
      button.setAttribute("aria-pressed", String(side === state.side));
      button.classList.toggle("heard", state.heard[side] >= needed);
    });
    document.querySelectorAll(".answer").forEach((button) => {
      button.disabled = !ready;
      button.classList.toggle("chosen", (state.votes[now.key] || {}).choice === button.dataset.choice);
    });
    $(".hint").textContent = ready ? "" : "Listen to both sounds, then answer.";
    $("#back").disabled = state.at === 0;
    document.body.classList.toggle("playing", state.playing);
  };

  // Where a browser cannot show the picture, the chosen sound is the clock.
  const clock = () => (video.error ? audios[Math.max(0, state.side)] : video);
  const player = makePlayback({
    video: () => video,
    audios: () => audios,
    clock,
    duration: () => trial(state.at).duration,
    onTime: () => {
      const now = clock().currentTime, passed = now - state.last;
      if (state.playing && state.side >= 0 && passed > 0 && passed < 0.5) state.heard[state.side] += passed;
      state.last = now;
      paint();
    },
    onPlaying: () => {
      state.playing = !clock().paused;
      state.last = clock().currentTime;
      paint();
    },
  });

  const listen = (side) => {
    const same = side === state.side;
    state.side = side;
    audios.forEach((audio, index) => { audio.muted = index !== side; });
    if (!clock().paused) {
      if (same) player.pause();
      else paint();
      return;
    }
    if (!same) player.seek(0);
    player.play();
  };

  const preload = (at) => {
    if (at >= trials().length) return;
    const next = trial(at);
    for (const [id, ending] of [[next.video, "mp4"], [next.left, "flac"], [next.right, "flac"]]) {
      const one = document.createElement(ending === "mp4" ? "video" : "audio");
      one.preload = "auto";
      one.src = source(id, ending);
    }
  };

  const go = (at) => {
    player.pause();
    if (at >= trials().length) return finish();
    Object.assign(state, { at, side: -1, heard: [0, 0], last: 0, shown: performance.now(), playing: false });
    const now = trial(at);
    video.src = source(now.video, "mp4");
    audios[0].src = source(now.left, "flac");
    audios[1].src = source(now.right, "flac");
    audios.forEach((audio) => { audio.muted = true; });
    show("trial");
    paintProgress();
    paint();
    preload(at + 1);
  };

  const keep = () => store.set(`votes-${state.rater}`, JSON.stringify(state.votes)) && store.set("rater", state.rater);

  const answer = (choice) => {
    const now = trial(state.at);
    const seconds = Math.round((performance.now() - state.shown) / 100) / 10;
    state.votes[now.key] = { left: now.left, right: now.right, choice, seconds };
    keep();
    go(state.at + 1);
  };

  const result = () => JSON.stringify({
    kind: "listening votes",
    schema: 1,
    study: study.study,
    question: study.question,
    rater: state.rater,
    complete: answered() === trials().length,
    saved: new Date().toISOString(),
    votes: trials().map((_, at) => state.votes[trial(at).key]).filter(Boolean),
  }, null, 1) + "\n";

  const finish = () => {
    player.pause();
    const n = answered(), all = trials().length;
    $("#done").textContent = n === all ? `You judged all ${all} pairs.` : `You judged ${n} of ${all} pairs.`;
    $("#again").hidden = n === all;
    $("#text").value = result();
    $("#said").textContent = "";
    paintProgress();
    show("end");
  };

  const firstOpen = () => {
    const at = trials().findIndex((_, index) => !state.votes[trial(index).key]);
    return at < 0 ? trials().length : at;
  };

  const begin = (rater) => {
    state.rater = rater;
    let kept = {};
    try { kept = JSON.parse(store.get(`votes-${rater}`)) || {}; } catch { /* somebody else's words: begin anew */ }
    state.votes = kept;
    keep();
    go(firstOpen());
  };

  const save = () => {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([result()], { type: "application/json" }));
    link.download = `votes-${study.study}-${state.rater.replace(/[^A-Za-z0-9]+/g, "_")}.json`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
    $("#said").textContent = `Saved as ${link.download}.`;
  };

  const copy = async () => {
    try {
      await navigator.clipboard.writeText(result());
    } catch {
      $("details").open = true;
      $("#text").select();
      if (!document.execCommand("copy")) { $("#said").textContent = "Copy the text below by hand."; return; }
    }
    $("#said").textContent = "Copied.";
  };

  const switchTheme = () => {
    const root = document.documentElement;
    const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset.theme = dark ? "light" : "dark";
  };

  $("#begin").addEventListener("submit", (event) => {
    event.preventDefault();
    const rater = $("#rater").value.trim();
    if (rater) begin(rater);
  });
  const presses = {
    back: () => go(state.at - 1), leave: finish, save, copy, again: () => go(firstOpen()), theme: switchTheme,
  };
  document.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (!button || button.disabled) return;
    if (button.matches(".sound")) listen(button.dataset.side === "a" ? 0 : 1);
    else if (button.matches(".answer")) answer(button.dataset.choice);
    else if (presses[button.id]) presses[button.id]();
    // After a click with the mouse, a key shall not press the button again.
    if (event.detail > 0) button.blur();
  });
  document.addEventListener("keydown", (event) => {
    if ($("#trial").hidden || event.ctrlKey || event.metaKey || event.altKey) return;
    const side = { a: 0, b: 1 }[event.key.toLowerCase()];
    if (side !== undefined) listen(side);
  });
  video.addEventListener("ended", () => { if (state.playing) player.pause(); });

  $("#unkept").hidden = store.set("tried", "1");
  $("#rater").value = new URLSearchParams(location.hash.slice(1)).get("rater") || store.get("rater") || "";
})();
