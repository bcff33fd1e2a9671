"use strict";
// Audio tracks on the clock of a video, for both listening pages. `stage` says what is on it: video(), audios(), clock(),
// duration(), onTime() and onPlaying().
const makePlayback = (stage) => {
  // Drift is caught up within CATCH_UP_S by playing a little faster or slower: hardly audible on the chosen track,
  // and for the muted ones by as much as it takes, since nobody hears them; only a large drift by a jump: it takes
  // 100 ms itself while audio plays.
  const DRIFT_S = 0.004, JUMP_S = 0.25, CATCH_UP_S = 0.3, MOST_BEND = 0.12, MOST_MUTED_BEND = 0.4;
  const media = () => [stage.video(), ...stage.audios()];

  const align = (audio, at, slack) => {
    if (Math.abs(audio.currentTime - at) > slack && !audio.seeking && at < stage.duration()) audio.currentTime = at;
  };

  const follow = (audio) => {
    const behind = stage.clock().currentTime - audio.currentTime;
    if (audio === stage.clock() || audio.ended || audio.seeking) return;
    if (Math.abs(behind) > JUMP_S) align(audio, stage.clock().currentTime, JUMP_S);
    const most = audio.muted ? MOST_MUTED_BEND : MOST_BEND;
    const bend = Math.abs(behind) < DRIFT_S ? 0 : Math.max(-most, Math.min(most, behind / CATCH_UP_S));
    audio.playbackRate = 1 + bend;
  };

  const tick = () => {
    if (stage.clock().paused) return;
    stage.onTime();
    stage.audios().forEach(follow);
    requestAnimationFrame(tick);
  };

  const pause = () => {
    media().forEach((one) => one.pause());
    stage.onPlaying();
  };

  const seek = (at) => {
    const to = Math.max(0, Math.min(stage.duration(), at));
    media().forEach((one) => { one.currentTime = to; });
    stage.onTime();
  };

  // Every track plays, all but one muted: a switch is then a change of muting, at the same instant.
  const play = async () => {
    if (stage.clock().ended || stage.clock().currentTime >= stage.duration() - 0.01) seek(0);
    const at = stage.clock().currentTime;
    stage.audios().forEach((audio) => align(audio, at, 0.001));
    await Promise.allSettled(media().map((one) => one.play()));
    stage.onPlaying();
    requestAnimationFrame(tick);
  };

  return { play, pause, seek };
};
