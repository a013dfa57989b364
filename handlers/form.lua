-- A form with a file: what comes is read part by part, in constant memory.
--     curl -F title=Ebb -F 'file=@README.md;filename=readme' http://127.0.0.1:8080/form

local page = [[
<!doctype html>
<title>A form</title>
<form method="post" enctype="multipart/form-data">
<input name="title"> <input type="file" name="file"> <button>Send</button>
</form>
]]

local route = {}

function route.GET()
	return 200, page, { ["content-type"] = "text/html; charset=utf-8" }
end

function route.POST(request)
	local received = {}
	for part in request:multipart({ parts = 10 }) do
		received[part.name] = { bytes = #part:text(), filename = part.filename }
	end
	return received
end

return route
