"""A service: studies are handed in over HTTP, queued, run as child processes, and looked at from anywhere.

    settings -> messages -> jobs, job_folder -> job_process; supervisor; mailbox
    -> room -> admission, readers, actions, asking, live -> metrics -> routes -> openapi
    -> guard, chart -> pages -> web

`messages` are plain requests and answers: handlers are functions of them; `web` alone knows the library that listens.
A job is a process of its own; what it is to do, how far it is and how it ended are files in its folder, so that the
service may end and begin at any moment.
"""
