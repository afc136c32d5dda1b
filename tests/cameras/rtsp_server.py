"""A real RTSP server for tests: GStreamer's, run by Debian's own Python (``gir1.2-gst-rtsp-server-1.0``).

``/usr/bin/python3 rtsp_server.py FILE`` serves the H.264 of an MP4 file at ``/film``, and prints its port.
"""

import sys

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtspServer  # noqa: E402

Gst.init(None)
server = GstRtspServer.RTSPServer()
server.set_address("127.0.0.1")
server.set_service("0")
factory = GstRtspServer.RTSPMediaFactory()
factory.set_launch(f"( filesrc location={sys.argv[1]} ! qtdemux ! h264parse ! rtph264pay name=pay0 pt=96 )")
server.get_mount_points().add_factory("/film", factory)
server.attach(None)
print(server.get_bound_port(), flush=True)
GLib.MainLoop().run()
