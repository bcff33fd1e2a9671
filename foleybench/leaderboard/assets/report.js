(() => {
  const clips = [...document.querySelectorAll(".clip")];
  const state = { clip: 0, track: 0, blind: 0 };

  const section = () => clips[state.clip];
  const video = () => section().querySelector("video");
  const tracks = () => [...section().querySelectorAll(".track")];
  const audioOf = (track) => track.querySelector("audio");
  const audios = () => tracks().map(audioOf).filter(Boolean);
  const duration = () => Number(section().dataset.duration);
  const active = () => tracks().find((track) => Number(track.dataset.track) === state.track);
  // The video is the clock; where a browser cannot play the video, the chosen audio track is.
  const clock = () => (video().error ? audioOf(active()) : video());

  const shuffled = (n, seed) => {
    let x = seed >>> 0;
    const random = () => {
      x = (x + 0x6d2b79f5) >>> 0;
      let t = Math.imul(x ^ (x >>> 15), 1 | x);
      t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
      return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
    };
    const order = [...Array(n).keys()];
    for (let i = n - 1; i > 0; i--) {
      const j = Math.floor(random() * (i + 1));
      [order[i], order[j]] = [order[j], order[i]];
    }
    return order;
  };

  // In blind mode the order differs from clip to clip, so that a place betrays nothing.
  const arrange = () => {
    document.body.classList.toggle("is-blind", state.blind > 0);
    clips.forEach((clip, at) => {
      const list = clip.querySelector(".tracks");
      const items = [...list.children].sort((a, b) => a.dataset.track - b.dataset.track);
      const order = state.blind ? shuffled(items.length, state.blind * 131 + at) : [...items.keys()];
      order.forEach((index, place) => {
        const item = items[index];
        item.querySelector("kbd").textContent = place + 1;
        item.querySelector(".name").textContent = state.blind ? "Audio " + (place + 1) : item.dataset.name;
        list.append(item);
      });
      clip.querySelector(".blind").setAttribute("aria-pressed", String(state.blind > 0));
    });
  };

  const paint = () => {
    tracks().forEach((track) => {
      const on = Number(track.dataset.track) === state.track;
      track.classList.toggle("active", on);
      track.querySelector(".pick").setAttribute("aria-pressed", String(on));
      const audio = audioOf(track);
      if (audio) audio.muted = !on;
    });
    document.querySelectorAll(".choose").forEach((button, at) => button.setAttribute("aria-current", String(at === state.clip)));
  };

  const paintTime = () => {
    const now = clock().currentTime;
    section().querySelector(".time").textContent = now.toFixed(2);
    const left = Math.min(100, (100 * now) / duration()) + "%";
    section().querySelectorAll(".playhead").forEach((line) => { line.style.left = left; });
  };

  const remember = () => {
    const words = new URLSearchParams({ clip: section().dataset.id, track: state.track, t: clock().currentTime.toFixed(2) });
    if (state.blind) words.set("blind", state.blind);
    history.replaceState(null, "", "#" + words);
  };

  const paintPlaying = () => {
    const button = section().querySelector(".play"), playing = !clock().paused;
    button.textContent = playing ? "Pause" : "Play";
    button.setAttribute("aria-pressed", String(playing));
  };

  const player = makePlayback({ video, audios, clock, duration, onTime: paintTime, onPlaying: paintPlaying });
  const play = player.play;

  const pause = () => {
    player.pause();
    remember();
  };

  const seek = (at) => {
    player.seek(at);
    remember();
  };

  const choose = (track) => {
    if (!track || !audioOf(track)) return;
    state.track = Number(track.dataset.track);
    paint();
    remember();
  };

  const show = (at) => {
    if (at < 0 || at >= clips.length) return;
    pause();
    state.clip = at;
    clips.forEach((clip, i) => { clip.hidden = i !== at; });
    [video(), ...audios()].forEach((media) => { media.preload = "auto"; });
    if (!audioOf(active())) choose(tracks().find(audioOf));
    paint();
    paintTime();
    remember();
  };

  const toggleBlind = () => {
    state.blind = state.blind ? 0 : 1 + Math.floor(Math.random() * 1e6);
    arrange();
    paint();
    remember();
  };

  const togglePlay = () => (clock().paused ? play() : pause());

  const switchTheme = () => {
    const root = document.documentElement;
    const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset.theme = dark ? "light" : "dark";
  };

  const keys = {
    " ": togglePlay,
    b: toggleBlind,
    r: () => seek(0),
    ArrowLeft: () => show(state.clip - 1),
    ArrowRight: () => show(state.clip + 1),
  };

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === " " && event.target.closest("button")) return;
    const place = Number(event.key);
    const action = place >= 1 && place <= 9 ? () => choose(tracks()[place - 1]) : keys[event.key];
    if (!action) return;
    event.preventDefault();
    action();
  });

  document.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    const lane = event.target.closest(".lane");
    if (lane) {
      const box = lane.getBoundingClientRect();
      seek((duration() * (event.clientX - box.left)) / box.width);
      choose(lane.closest(".track"));
    } else if (button) {
      if (button.matches(".choose")) show(Number(button.dataset.clip));
      else if (button.matches(".pick")) choose(button.closest(".track"));
      else if (button.matches(".play")) togglePlay();
      else if (button.matches(".blind")) toggleBlind();
      else if (button.id === "theme") switchTheme();
      // After a click with the mouse, space shall play, not press the button again.
      if (event.detail > 0) button.blur();
    }
  });

  clips.forEach((clip) => {
    const picture = clip.querySelector("video");
    picture.addEventListener("ended", () => { if (clip === section()) pause(); });
    picture.addEventListener("seeked", () => { if (clip === section()) paintTime(); });
  });

  const restore = () => {
    const words = new URLSearchParams(location.hash.slice(1));
    const at = clips.findIndex((clip) => clip.dataset.id === words.get("clip"));
    state.blind = Math.max(0, Number.parseInt(words.get("blind") || "0", 10) || 0);
    state.track = Math.max(0, Number.parseInt(words.get("track") || "0", 10) || 0);
    const when = Number(words.get("t")) || 0;
    state.clip = at < 0 ? 0 : at;
    const named = tracks().find((track) => track.dataset.name === words.get("system"));
    if (named) state.track = Number(named.dataset.track);
    if (!active()) state.track = 0;
    arrange();
    show(state.clip);
    if (when) seek(when);
  };

  restore();
})();
