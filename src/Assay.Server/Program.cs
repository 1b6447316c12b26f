var builder = WebApplication.CreateSlimBuilder(args);
builder.Services.AddSingleton(TimeProvider.System);
var app = builder.Build();
app.MapGet("/ok", () => Results.Ok(new { ok = true }));
app.Run();
