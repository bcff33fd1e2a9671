"""Media files with one fault each: several tracks, gaps, empty packets, other times."""

from __future__ import annotations

import base64
import zlib
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np

from tests.made_media import RATE_HZ, _audio_stream, _video_stream, _write_audio

DEFAULT = av.stream.Disposition.default


def tone(hz: float, duration_s: float, rate_hz: int = RATE_HZ, level: float = 0.3) -> np.ndarray:
    """Return a sine tone."""
    return (level * np.sin(2 * np.pi * hz * np.arange(round(duration_s * rate_hz)) / rate_hz)).astype(np.float32)


def pitch_hz(audio: np.ndarray, rate_hz: int) -> float:
    """Return the frequency at which audio is loudest."""
    return float(np.abs(np.fft.rfft(audio)).argmax() * rate_hz / len(audio))


def write_tracks(
    path: Path,
    pictures: list[tuple[np.ndarray, bool]],
    sounds: list[tuple[np.ndarray, bool]],
    *,
    rate_hz: int = RATE_HZ,
    audio_codec: str = "aac",
) -> Path:
    """Write several video and audio tracks (channels, N), each with whether it is the default."""
    with av.open(str(path), "w") as container:
        videos = [_video_stream(container, frames, 25.0, "libx264", None, None) for frames, _ in pictures]
        audios = [_audio_stream(container, np.atleast_2d(audio), rate_hz, audio_codec) for audio, _ in sounds]
        for stream, (_, default) in zip([*videos, *audios], [*pictures, *sounds], strict=True):
            stream.disposition = DEFAULT if default else av.stream.Disposition(0)
        for stream, (frames, _) in zip(videos, pictures, strict=True):
            for k, image in enumerate(frames):
                frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(image), format="rgb24")
                frame.time_base, frame.pts = (
                    stream.codec_context.time_base,
                    round(k / 25 / stream.codec_context.time_base),
                )
                container.mux(stream.encode(frame))
            container.mux(stream.encode())
        for stream, (audio, _) in zip(audios, sounds, strict=True):
            _write_audio(container, stream, np.atleast_2d(audio), rate_hz, 0.0)
    return path


def rewritten(source: Path, target: Path, change: Callable[[av.Packet, float], av.Packet | None]) -> Path:
    """Copy the packets of a file; ``change`` gets each with its time in seconds, and returns what is written."""
    with av.open(str(source)) as given, av.open(str(target), "w") as out:
        streams = {stream.index: out.add_stream_from_template(stream) for stream in given.streams}
        for packet in given.demux():
            if packet.dts is None:
                continue
            changed = change(packet, float(packet.pts * packet.time_base))
            if changed is not None:
                changed.stream = streams[packet.stream.index]
                out.mux(changed)
    return target


def with_gap(source: Path, target: Path, gap_s: float, kind: str = "audio", after_s: float = 1.5) -> Path:
    """Put all packets of one kind from a time on so much later."""

    def change(packet: av.Packet, time_s: float) -> av.Packet:
        if packet.stream.type == kind and time_s >= after_s:
            later = round(gap_s / packet.time_base)
            packet.pts, packet.dts = packet.pts + later, packet.dts + later
        return packet

    return rewritten(source, target, change)


def theora() -> bytes:
    """Return two seconds of plain grey in Theora, 50 frames of which 49 are empty packets: "the last one again".

    ``ffmpeg -f lavfi -i color=gray:r=25:d=2:s=32x32 -c:v libtheora -fflags +bitexact t.ogv``; PyAV has no encoder.
    """
    return zlib.decompress(base64.b85decode("".join(_THEORA)))


_THEORA = (
    "c-p0xc|4SB8^;Z@i?LR+3`&-gNJS1KW)PYgON|PHu~frYqhw#k5|K%w980nvBl|jNXeMDwNUE7^l|qP;@;=izpS<TipZEN6exK*M",
    "zt45uzx$eJn?LRo9v(IvoE(3V2FB(qNG&436YJxL;o<}V4#1=E^8mCR2++pCC2Yh&KEdkpUjpVhuFW=yZq;1hBtj&+B@Zy`?vBG_",
    "Jy<>|Ah6!9K5ke)14~ShtHK2@7q%~ojoj-(v{FFD1VWrUAU6}X{`@g8uF}RM{o$Iu*jn(B(-)@HK6{qg?h#j2b`bp$awPkzyA6ME",
    "wVmqq1m&phe4$5WQ+NuX5iRy=68zjQ5TLMAD2}tkh;Ud^YIIUJL?e}g(d>yP*7dpkVV_uQ9C;w!G*4vudRD^_c7JBlE>zaxbTi1c",
    "_^yr-#yOpBf)tlLqiZllQJ_G6=&T{Z7aeI-HUDo#CVzrJp@@M2CK!T58Zj6^ibNuqAg~rdBnZqJkw}OZo9ywIILIUrG>t?C)<cjT",
    "9aRiEkal#CnIJ6;iB9hTYXKRPNry&~I_Lm_5dd&P|4BMWRURlRT6=&@W@;4_bm4*ZQPCMT5lk@V>A^rQCd9?25H=J*kJ1j<A{8&$",
    "CBZ!zbTKo|HkPui!UGG^`nQ5WkZE~<AW#eoc}UF9G><+0v%nC{g0ZnN6atM>WDyf3X3XLOEBj|b!H}qBU0q!*2(oZDi;)F!0CW#5",
    "v9f=b7V=*T0z3fU$TZRhIyOMx0DS}W4KO#r+yD~{219-GIzeo3LfBA5vVlUffkLu@N@F8Ee*<|S5C|IC$r;H;^ai*$zzt%98^i_=",
    "CmVbl;Nu8&JQHxmaqNSkW@Xh5ca_jsnT}`Tm;HK8n^F#u!zRT{T02PTtItq6y_J-a82*PHA7w2w`!Ka-!pWtmmTwnDsQLu2tg}fZ",
    "Zp}1!Tp8kmTT7VVtjkGwO^6Erik%rWajFDBWp|Wz#*^sLqce>VGHuA!C&w^xzC~=YeoaNTNRB>@GU?`gKjdzMIN!E?F9g0Ec}e0E",
    "skd3lXclo9e%mh_cd_c^7PVx)Hs$ps({ewN1{3{kr&)-Xj1YzR`yp$K3B-zzUixQSBH!X+YhwAxzC(%Nvyp|7)Hm_Xfv?xyx)(-N",
    "dGC{JX7p1u>|I47XeqF(CQqof>w|Y2pYJ>sDzC!*gjy54m!bXst&}~tgDaKDn&PjJYx%%4Xu8fd^7RUTW6X!u)6Nz6-8ZZPD4;3p",
    "IXklm<>8sJR_ooF=Y;$2W5fmz391VlQsm%a_|o)@E%e)N4+@-OiAhxI-BI}M27l3b-`NZD?{KDj_$u*~8MG-eRoUsqMTqX;m7B?3",
    "d4{WQbvqIfN-=13)8a?-sj$%)lg6sI4sI*ff;YdU^#@9#G|HX!T$zg)O;{f;3Wh0O!*)rGjqcNb8tg1MgD#GEFDDb)lxMAe`i@@^",
    "VTow+1pc)MCO#$IS4oavyyuHcoE{K3=jDl?+-9Xds=Rn6`B3kU#<=C{#F1`>(u);dUrvvj<0`jp?`f+H?8P*Q=<5pXUPddP7ydY{",
    "PH}gh9K7V#u%4P&;?T*ly1ZX}V(k3rzMM{t3V#q&-6f$l-9QlC&a_j^eBh(McDvhCLvrk8#5qeGyqYR*orFFT)4dvNo7||^C%)#r",
    "6&ynmu3bK>PdZyDli4R0A|=nKhJwur9$QvDTH%_|voHUcKfZSd;)RoYruq+wh8&m2`O0oFPd--k9J>9DvHFY{MZmB7W+H6W3iUnt",
    "?~Yn|PBC*1k$<aM`@Hk)Df^I^kG&)YN)aJkl!?}f4TtkK2G?}8!H3kfJme?%XMGUpvlbWmXO*}g*Jhd@i0ue(+Zwx_Ir=)q(&Y!p",
    "PDRo3rt1XHtcXiZ;DWS2fd;C(@3rq@<#()0shNFit{<;Rf!x0DSP#>Mpa~2?2Uq@_R<I}5wjPuX8=Xw9zrxQIANxVV>PsTUOJC1n",
    "IUtmvhGJaOk~v2$3c!R1$>iDB8a(i9k~^-Dz23+xa`2_Wl!~%daU4%zlB!*r|FL@*o$AZ-(<2V@qF=jYdg~4K;eTi+sh{zDC%QY+",
    "%b<YsRx+c;p^a-=zCK4-LQJeK+bOh@0hbP)L}M*Z-4EmoeI#Hf-xLS(my;Pndj*RX;mU8pb5&C42Ko5a_jWt0g;}LL-9P4o5@2Dn",
    "n9dgh3~yJVH@y8{Z4k9W<M&5-T+Or3Yh>xQRa0K=+{Q>W=$=@woZMon;HLXb+j255MYbui`hlUGl0o{4)YX9s>Ei7=y)Vw3vNH6P",
    "9I-(pjh7sePyZI+b666k*B&#qZQ-{XNJ0C65S?eV&}v`W<U1_(mAC5HVr)A|3h@#|o4;nIjtl5JD&Oo1#k$R1Dn@;AG1GmfZhoIe",
    "INcEVHVm^veeI-kF0rf`ig<N*KkxZ`M*Y24gyU49$F&wuF5G0U$Eyy)s!6RDh<WgmvSUXQq^{(ahvpCR5$mR?*JZ&ZX;+%vVP#DV",
    "GOi@!v3B>wG6Ct&@p&P2$R0LV(L+>~`mU5~CR$#eEPefeS2h>UxA{lD?7ib~8A6}&yQJRjE?(I<&-&+*Mku{mikJENm)HkZYZ9p#",
    "oq}Ti5qx-N*X3mNBHG!+%wiPhI`?R3P_3}xQ9I{;){R})v2~gcn;90;f;Qq3ABN=EnZe8~ytHxt`70WD$RZ<%ruk9sbN8Fe<tI4=",
    "wAz=}$VGYQ=0FO)Puxcz-2f}icGhTKI{eMIao_<}s|Z(1gz;;_X}1U>zm-?z*4InThf65=9?d<HV5iJ?BD|)W^cvY9z=cEW^h=3r",
    "-k9SVUz&*omhI2Gap<wK=hhS0Rk2c&6MHK#ug~y_9nOfQ4u7AuGsn6a`!nlGw>dUElFIs~{m7Nq@sq{9p{NMfn<(r%8UksX5P4aJ",
    "70rDlIjdU26^}?2U#KKI$-dr;a5mfJrB&BBnQZl{dCdkfH*HTgP)Z^a?|2)pwJPx_;jp{C?wk~-lhJ5tL`ktyXhX|^tRlawwLSbh",
    "EAqJ>ze=5+i?~XIKV2<NYriI%aS=>O?3^g;&Z-;ibU(H318s4P8eYHH6HAP;>(X#=$CbKE_rq276yO4-7Rc=8_llfwDapoNf<>6{",
    "ahxT|E0-qK&-`#u5*3k*J~bXjJ(G}OjVoJ^J5|%$G$j4`oj4UDdbHLGD%=;YvR_#o_<YfRJ<S3u0!pUgeX^Ifwp*JC*Rn2=)cLK{",
    "hT~IzC!u1D)Kl6w9%F+Px!dx^2$l!g1AG*gyRlbSyyaIYiPRr~qA<{nz1qN^L~u59Y2B~7_8?zq#7i+#saE_9=^fSh>DTC=7e6K4",
    "|LU!pYVe!RgWl<Du@ce2R0tsguP21}NV_mIYx!ju{>`tT{kVFFS}E*P`Y|vEBVZe&U-9|ySk|Y?)a6Nd*bVyyJKL+{%5jPy@>{Kr",
    "JEr&lXw)7*EB}#}@?E21qO?R3h0iSpiOpL+)y83Iu*1jR&?qf!OJ|?U%FhbA#@*FC)BZd93~zQURcKpskyln-^=m`kaK*PG)6+CN",
    "jdFRUbOqB0Z|0Z*+@yJyYwXK{(*tNUZTRUI7*hrJUBNgYEMtGx4fV&`xQaoOqWtR*BbSzf#&eCEl_I?N8g6%adca*e`+PvFxv;Us",
    "3Hy^4g<K(WpatxTb<O#L@5y+NjFx76LGeS;0%d;Fp{kZFlj$pls}$!KCyxSa4ZbhzvL*hXx5wVo7;W0qu(nC)%!%6|9z$N9G9wPQ",
    "<M<{A7Z49KNI8O=Y8!pHepR@E$U5?^9K>%pFYleRqvB7~@lB>JK-B!M0sEU)JijWeQ-#Gz`v11tWa0%PA}TlGZ(8yHs_+4!G`oZ6",
    "e_L%bu}&}Cat!&KRzklj0zlkS=Dz&bR@~4{CRU3RAH@wp9RC5ZOi*z",
)
