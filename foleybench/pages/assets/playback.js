"use strict";
// A video and its audio tracks in step, for both listening pages. `stage` says what is on it: video(), audios(),
// clock(), duration(), onTime() and onPlaying().
const makePlayback = (stage) => {
  // The track that is heard keeps its rate. The video and the muted tracks catch up with it within CATCH_UP_S by playing
  // a little faster or slower; only a large drift is caught up by a jump, which takes 100 ms itself while audio plays.
  const DRIFT_S = 0.004, JUMP_S = 0.25, CATCH_UP_S = 0.3, MOST_BEND = 0.4;
  const media = () => [stage.video(), ...stage.audios()];

  // A track that stands still, since it was refused or waits for data, leads nobody.
  const leads = (one) => !one.muted && !one.ended && !one.error && !one.paused && one.readyState > 2;

  const leader = () => stage.audios().find(leads) || stage.clock();

  const align = (one, at, slack) => {
    if (Math.abs(one.currentTime - at) > slack && !one.seeking && at < stage.duration()) one.currentTime = at;
  };

  const follow = (one) => {
    const first = leader();
    const behind = first.currentTime - one.currentTime;
    if (one === first) one.playbackRate = 1;
    if (one === first || first.seeking || one.paused || one.ended || one.seeking) return;
    align(one, first.currentTime, JUMP_S);
    const jumped = Math.abs(behind) > JUMP_S;
    const bend = jumped || Math.abs(behind) < DRIFT_S ? 0 : Math.max(-MOST_BEND, Math.min(MOST_BEND, behind / CATCH_UP_S));
    one.playbackRate = 1 + bend;
  };

  const tick = () => {
    if (stage.clock().paused) return;
    stage.onTime();
    media().forEach(follow);
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
    stage.audios().forEach((audio) => {
      // To keep the pitch costs Chromium 20 ms of a track's clock at each change of rate; muted tracks need no pitch.
      audio.preservesPitch = false;
      align(audio, at, 0.001);
    });
    await Promise.allSettled(media().map((one) => one.play()));
    stage.onPlaying();
    requestAnimationFrame(tick);
  };

  return { play, pause, seek };
};
