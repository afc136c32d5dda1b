"""The admin dashboard: pages for people, served at ``/ui`` beside REST.

Nothing can be done here that REST cannot: pages ask REST itself, in this process, as the person who looks
(``rest.py``). Live values come by one web socket for each browser tab (``live.py``).
"""
